// Words to a program: scopes of variables, blocks and their ends, calls and what they are given.
#include "mcp/rest/template_ast.hpp"
#include "mcp/rest/template_lexer.hpp"

#include <algorithm>

namespace sluice::mcp::rest {

namespace {

using ast::node;
using ast::operand;
using ast::pipeline;

class parser {
public:
    explicit parser(std::string_view source) : source_(source) {}

    result<ast::block> run() {
        auto pieces = cut_template(source_);
        if (!pieces) return pieces.error();
        pieces_ = std::move(*pieces);
        ast::block program;
        if (auto done = read_block(program, inside::top); !done) return done.error();
        return program;
    }
    std::size_t slots() const { return slots_; }

private:
    enum class inside : std::uint8_t { top, branch, otherwise };

    error fail(std::size_t offset, std::string_view message) const { return template_error(source_, offset, message); }

    // --- blocks ------------------------------------------------------------------------------------
    // Up to {{end}} or {{else}}, which stays the current piece; at the top up to the end of the template.
    result<void> read_block(ast::block& out, inside kind) {
        for (; at_ < pieces_.size(); ++at_) {
            piece& p = pieces_[at_];
            if (!p.is_action) {
                out.nodes.push_back({node::kind::text, std::move(p.text), {}, {}, {}});
                continue;
            }
            const std::string_view word = keyword(p);
            if (word == "end" || word == "else") {
                if (kind == inside::top) return fail(p.offset, "there is nothing open to end here");
                if (kind == inside::otherwise && word == "else") return fail(p.offset, "a second else");
                return {};
            }
            if (auto done = read_action(out, p, word); !done) return done;
        }
        if (kind == inside::top) return {};
        return fail(source_.size(), "an if, range or with is not closed by {{end}}");
    }
    static std::string_view keyword(const piece& p) {
        const bool named = !p.tokens.empty() && p.tokens.front().what == token::kind::name;
        return named ? std::string_view{p.tokens.front().text} : std::string_view{};
    }
    result<void> read_action(ast::block& out, const piece& p, std::string_view word) {
        token_at_ = 0;
        tokens_ = &p.tokens;
        action_at_ = p.offset;
        if (word == "if") return read_branches(out, node::kind::if_);
        if (word == "range") return read_branches(out, node::kind::range);
        if (word == "with") return read_branches(out, node::kind::with);
        if (word == "break" || word == "continue") {
            if (loops_ == 0) return fail(p.offset, "break and continue belong inside a range");
            if (p.tokens.size() > 1) return fail(p.offset, "nothing may follow break or continue");
            out.nodes.push_back({word == "break" ? node::kind::break_ : node::kind::continue_, {}, {}, {}, {}});
            return {};
        }
        if (word == "define" || word == "template" || word == "block") {
            return fail(p.offset, "define, template and block are not supported");
        }
        node n;
        n.what = node::kind::action;
        if (auto done = read_pipeline(n.value, names::one); !done) return done;
        if (token_at_ != tokens_->size()) return fail(here(), "unexpected text in an action");
        out.nodes.push_back(std::move(n));
        return {};
    }
    // {{if}} and its kin: the current piece opens it, at the end the current piece is its {{end}}. Of a chain of
    // {{else if}} each one is the whole `otherwise` of the one before.
    result<void> read_branches(ast::block& out, node::kind what) {
        const std::size_t opened = action_at_;
        if (++depth_ > template_depth_max) return fail(opened, "actions are nested too deeply");
        const std::size_t names_before = names_.size();
        node n;
        n.what = what;
        ++token_at_;  // the keyword
        if (auto done = read_pipeline(n.value, what == node::kind::range ? names::two : names::one); !done) return done;
        if (token_at_ != tokens_->size()) return fail(here(), "unexpected text in an action");
        ++at_;
        loops_ += what == node::kind::range ? 1 : 0;
        if (auto done = read_block(n.body, inside::branch); !done) return done;
        loops_ -= what == node::kind::range ? 1 : 0;
        if (keyword(pieces_[at_]) == "else") {
            if (auto done = read_else(n.otherwise); !done) return done;
        }
        names_.resize(names_before);
        --depth_;
        out.nodes.push_back(std::move(n));
        return {};
    }
    result<void> read_else(ast::block& out) {
        const piece& p = pieces_[at_];
        if (p.tokens.size() == 1) {
            ++at_;
            return read_block(out, inside::otherwise);
        }
        const std::string_view next = p.tokens[1].what == token::kind::name ? p.tokens[1].text : std::string_view{};
        if (next != "if" && next != "with") return fail(p.offset, "only if or with may follow else");
        tokens_ = &p.tokens;
        token_at_ = 1;
        action_at_ = p.offset;
        return read_branches(out, next == "if" ? node::kind::if_ : node::kind::with);
    }

    // --- pipelines ---------------------------------------------------------------------------------
    enum class names : std::uint8_t { none, one, two };

    const token* peek(std::size_t ahead = 0) const {
        return token_at_ + ahead < tokens_->size() ? &(*tokens_)[token_at_ + ahead] : nullptr;
    }
    bool symbol(std::string_view text, std::size_t ahead = 0) const {
        const token* t = peek(ahead);
        return t != nullptr && t->what == token::kind::symbol && t->text == text;
    }
    bool is_variable(std::size_t ahead) const {
        const token* t = peek(ahead);
        return t != nullptr && t->what == token::kind::variable;
    }
    std::size_t here() const {
        const token* t = peek();
        return t != nullptr ? t->offset : action_at_;
    }

    result<void> read_pipeline(pipeline& out, names allowed) {
        out.where = place_of(source_, here());
        std::vector<std::string> declared;
        if (allowed != names::none && is_variable(0)) {
            if (symbol(":=", 1)) {
                declared = {peek()->text};
                token_at_ += 2;
            } else if (allowed == names::two && symbol(",", 1) && is_variable(2) && symbol(":=", 3)) {
                declared = {peek()->text, peek(2)->text};
                token_at_ += 4;
            } else if (symbol("=", 1)) {
                const auto slot = find_name(peek()->text);
                if (!slot) return fail(here(), "the variable $" + peek()->text + " is not declared");
                if (*slot == 0) return fail(here(), "$ cannot be set");
                out.slots = {*slot};
                token_at_ += 2;
            }
        }
        do {
            if (auto done = read_command(out); !done) return done;
            if (!symbol("|")) break;
            ++token_at_;
        } while (true);
        // Behind the pipeline: a variable is not known in the expression that declares it.
        for (const std::string& name : declared) {
            if (name.empty()) return fail(action_at_, "$ cannot be declared");
            names_.emplace_back(name, slots_);
            out.slots.push_back(slots_++);
        }
        return {};
    }
    result<void> read_command(pipeline& out) {
        const std::size_t begin = here();
        ast::command c;
        while (peek() != nullptr && !symbol("|") && !symbol(")") && !symbol(",") && !symbol("=") && !symbol(":=")) {
            operand o;
            if (auto done = read_operand(o); !done) return done;
            c.words.push_back(std::move(o));
        }
        if (c.words.empty()) return fail(begin, "a value is missing");
        const bool piped = !out.commands.empty();
        const operand& first = c.words.front();
        if (first.what != operand::kind::call) {
            if (c.words.size() > 1 || piped) return fail(begin, "only a function can be given arguments");
        } else {
            const std::size_t given = c.words.size() - 1 + (piped ? 1 : 0);
            const function& f = *first.callee;
            if (given < f.args_min || given > f.args_max) {
                return fail(begin, std::string{f.name} + " does not take " + std::to_string(given) + " arguments");
            }
        }
        // A function among the arguments is called with none.
        for (std::size_t i = 1; i < c.words.size(); ++i) {
            if (c.words[i].what == operand::kind::call && c.words[i].callee->args_min > 0) {
                return fail(begin, std::string{c.words[i].callee->name} + " needs arguments: put it in parentheses");
            }
        }
        out.commands.push_back(std::move(c));
        return {};
    }
    result<void> read_operand(operand& out) {
        const token& t = *peek();
        ++token_at_;
        if (auto done = read_first(out, t); !done) return done;
        while (peek() != nullptr && peek()->what == token::kind::field && peek()->glued) {
            out.path.push_back(peek()->text);
            ++token_at_;
        }
        return {};
    }
    result<void> read_first(operand& out, const token& t) {
        switch (t.what) {
            case token::kind::dot:
                return {};
            case token::kind::field:
                out.path.push_back(t.text);
                return {};
            case token::kind::variable: {
                const auto slot = find_name(t.text);
                if (!slot) return fail(t.offset, "the variable $" + t.text + " is not declared");
                out.what = operand::kind::variable;
                out.slot = *slot;
                return {};
            }
            case token::kind::string:
                return constant(out, value::string(t.text));
            case token::kind::number:
                return constant(out, value::number_text(t.text));
            case token::kind::name:
                return read_name(out, t);
            case token::kind::symbol:
                break;
        }
        if (t.text != "(") return fail(t.offset, "unexpected '" + t.text + "'");
        if (++depth_ > template_depth_max) return fail(t.offset, "parentheses are nested too deeply");
        pipeline nested;
        if (auto done = read_pipeline(nested, names::none); !done) return done;
        if (!symbol(")")) return fail(t.offset, "a parenthesis is not closed");
        ++token_at_;
        --depth_;
        out.what = operand::kind::nested;
        out.nested = std::make_shared<const pipeline>(std::move(nested));
        return {};
    }
    static result<void> constant(operand& out, const value& v) {
        out.what = operand::kind::constant;
        out.constant = v.as_trusted();
        return {};
    }
    result<void> read_name(operand& out, const token& t) {
        if (t.text == "true" || t.text == "false") return constant(out, value::boolean(t.text == "true"));
        if (t.text == "nil") return constant(out, value::null());
        out.what = operand::kind::call;
        out.callee = find_function(t.text);
        if (out.callee != nullptr) return {};
        return fail(t.offset, "there is no function \"" + t.text + "\"" + function_hint(t.text));
    }
    std::optional<std::size_t> find_name(std::string_view name) const {
        if (name.empty()) return 0;
        for (auto it = names_.rbegin(); it != names_.rend(); ++it) {
            if (it->first == name) return it->second;
        }
        return std::nullopt;
    }

    std::string_view source_;
    std::vector<piece> pieces_;
    std::size_t at_ = 0;  // the current piece
    const std::vector<token>* tokens_ = nullptr;
    std::size_t token_at_ = 0;
    std::size_t action_at_ = 0;
    unsigned depth_ = 0;
    unsigned loops_ = 0;
    std::vector<std::pair<std::string, std::size_t>> names_;  // in scope, the innermost last
    std::size_t slots_ = 1;
};

}  // namespace

result<text_template> text_template::compile(std::string_view source) {
    if (source.size() > template_bytes_max) {
        return error{error_kind::bad_request, "1:1: the template is longer than 256 KiB"};
    }
    parser p{source};
    auto program = p.run();
    if (!program) return program.error();
    text_template made;
    made.slots_ = p.slots();
    if (!program->nodes.empty()) made.program_ = std::make_shared<const ast::block>(std::move(*program));
    return made;
}

}  // namespace sluice::mcp::rest
