// Executes a compiled template.
#include "mcp/rest/template_ast.hpp"

namespace sluice::mcp::rest {

namespace {

using ast::node;
using ast::operand;
using ast::pipeline;

class runner {
public:
    runner(const value& root, const template_context& context, placing where, std::size_t slots)
        : root_(root), context_(context), slots_(slots), out_(where, context.limits.output_bytes_max) {
        slots_[0] = root;
    }

    enum class flow : std::uint8_t { on, break_, continue_ };

    result<flow> run(const ast::block& block, const value& dot, bool at_top) {
        for (const node& n : block.nodes) {
            if (auto paid = pay(1); !paid) return paid.error();
            auto next = run(n, dot, at_top);
            if (!next) return next.error();
            if (*next != flow::on) return *next;
        }
        return flow::on;
    }
    std::string take() { return out_.take(); }

private:
    result<void> pay(std::size_t steps) {
        if (steps > context_.limits.steps_max - steps_) {
            return error{error_kind::payload_too_large, "the template takes too many steps"};
        }
        steps_ += steps;
        return {};
    }
    result<flow> run(const node& n, const value& dot, bool at_top) {
        switch (n.what) {
            case node::kind::text:
                return then(out_.literal(n.text));
            case node::kind::break_:
                return flow::break_;
            case node::kind::continue_:
                return flow::continue_;
            default:
                break;
        }
        auto v = evaluate(n.value, dot, at_top);
        if (!v) return v.error();
        switch (n.what) {
            case node::kind::if_:
                return run(v->truth() ? n.body : n.otherwise, dot, at_top);
            case node::kind::with:
                return v->truth() ? run(n.body, *v, false) : run(n.otherwise, dot, at_top);
            case node::kind::range:
                return range(n, *v, dot, at_top);
            default:
                return n.value.slots.empty() ? then(print(*v)) : flow::on;
        }
    }
    static result<flow> then(const result<void>& done) {
        if (!done) return done.error();
        return flow::on;
    }
    result<void> print(const value& v) {
        const std::size_t before = out_.size();
        if (auto done = out_.insert(v); !done) return done;
        return pay((out_.size() - before) / 64);
    }

    result<flow> range(const node& n, const value& over, const value& dot, bool at_top) {
        std::size_t count = over.size();
        if (over.is(value::kind::number)) {
            count = static_cast<std::size_t>(std::max<std::int64_t>(0, over.to_integer().value_or(0)));
        } else if (over.is(value::kind::string) || over.is(value::kind::boolean)) {
            if (!over.truth()) return run(n.otherwise, dot, at_top);
            return error{error_kind::bad_request, n.value.where + ": range cannot walk over this kind of value"};
        }
        if (count == 0) return run(n.otherwise, dot, at_top);
        for (std::size_t i = 0; i < count; ++i) {
            if (auto paid = pay(1); !paid) return paid.error();
            const auto [key, item] = element(over, i);
            const auto& slots = n.value.slots;
            if (!slots.empty()) slots_[slots.back()] = item;
            if (slots.size() == 2) slots_[slots.front()] = key;
            auto next = run(n.body, item, false);
            if (!next) return next.error();
            if (*next == flow::break_) break;
        }
        return flow::on;
    }
    static std::pair<value, value> element(const value& over, std::size_t i) {
        if (over.is(value::kind::object)) {
            const auto& [key, item] = over.fields()[i];
            return {value::string(key).as_trusted(over.trusted()), item.as_trusted(over.trusted() || item.trusted())};
        }
        const value index = value::integer(static_cast<std::int64_t>(i)).as_trusted();
        return {index, over.is(value::kind::number) ? index : over.at(i)};
    }

    result<value> evaluate(const pipeline& p, const value& dot, bool at_top) {
        std::optional<value> handed_on;
        for (const ast::command& c : p.commands) {
            auto v = command(c, handed_on, dot, at_top);
            if (!v) {
                error e = v.error();
                if (e.param.empty()) {
                    e.message = p.where + ": " + e.message;
                    e.param = "template";  // has its place
                }
                return e;
            }
            handed_on = std::move(*v);
        }
        // Of a range, the elements are what its variables take.
        if (p.slots.size() == 1) slots_[p.slots.front()] = *handed_on;
        return *handed_on;
    }
    result<value> command(const ast::command& c, const std::optional<value>& handed_on, const value& dot, bool at_top) {
        const operand& first = c.words.front();
        if (first.what != operand::kind::call) return resolve(first, dot, at_top);
        const function& f = *first.callee;
        std::vector<value> args;
        args.reserve(c.words.size());
        for (std::size_t i = 1; i < c.words.size(); ++i) {
            auto v = resolve(c.words[i], dot, at_top);
            if (!v) return v;
            args.push_back(std::move(*v));
            // Go's and, or stop at what decides them.
            if (f.name == "and" && !args.back().truth()) return walk(args.back(), first, 0);
            if (f.name == "or" && args.back().truth()) return walk(args.back(), first, 0);
        }
        if (handed_on) args.push_back(*handed_on);
        auto made = invoke(f, args);
        return made ? walk(*made, first, 0) : made;
    }
    result<value> invoke(const function& f, std::span<const value> args) {
        std::size_t cost = 1;
        for (const value& v : args) cost += v.size() / 64;
        if (auto paid = pay(cost); !paid) return paid.error();
        auto made = f.run({args, root_, context_});
        if (!made) return made;
        if (made->is(value::kind::string) && made->size() > context_.limits.output_bytes_max) {
            return error{error_kind::payload_too_large, std::string{f.name} + " makes too long a text"};
        }
        if (auto paid = pay(made->size() / 64); !paid) return paid.error();
        if (f.selects) return made;
        bool trusted = true;
        for (const value& v : args) trusted = trusted && v.trusted();
        return made->as_trusted(trusted);
    }
    result<value> resolve(const operand& o, const value& dot, bool at_top) {
        if (auto paid = pay(1); !paid) return paid.error();
        switch (o.what) {
            case operand::kind::dot:
                return walk_root(dot, o, at_top);
            case operand::kind::variable:
                return walk_root(slots_[o.slot], o, o.slot == 0);
            case operand::kind::constant:
                return walk(o.constant, o, 0);
            case operand::kind::call: {
                auto made = invoke(*o.callee, {});
                return made ? walk(*made, o, 0) : made;
            }
            case operand::kind::nested: {
                auto made = evaluate(*o.nested, dot, at_top);
                return made ? walk(*made, o, 0) : made;
            }
        }
        return value{};
    }
    value walk_root(const value& from, const operand& o, bool is_root) const {
        if (is_root && !o.path.empty() && from.get(o.path.front()).is(value::kind::missing)) {
            return walk(context_.beside, o, 0);
        }
        return walk(from, o, 0);
    }
    static value walk(const value& from, const operand& o, std::size_t step) {
        value v = from;
        for (; step < o.path.size(); ++step) v = v.get(o.path[step]);
        return v;
    }

    const value& root_;
    const template_context& context_;
    std::vector<value> slots_;
    placed_text out_;
    std::size_t steps_ = 0;
};

}  // namespace

result<std::string> text_template::execute(const value& data, const template_context& context, placing where) const {
    if (!program_) return std::string{};
    runner r{data, context, where, slots_};
    auto done = r.run(*program_, data, true);
    if (!done) return done.error();
    return r.take();
}

}  // namespace sluice::mcp::rest
