#include "config/document.hpp"

#include "config/file_text.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <optional>
#include <streambuf>
#include <unordered_map>

namespace sluice::config {
namespace {

// Far more than documents may nest, since brackets in texts count.
constexpr std::size_t brackets_open_max = 5000;

enum class expected : std::uint8_t { one, any };  // documents in a file

// Leaves yaml-cpp's parser from within an event: it has no other way out. Caught in document::parse().
struct stop_parsing {};

class tree_builder final : public YAML::EventHandler {
public:
    tree_builder(const line_index& lines, std::shared_ptr<const std::string> file, expected documents,
                 problem_list& problems)
        : lines_(lines), file_(std::move(file)), expected_(documents), problems_(problems) {}

    // Those that have ended. A root may be null: nothing, or YAML's null.
    std::vector<document> take() { return std::move(documents_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_.empty() || expected_ == expected::any) return;
        stop(at(mark), "the file holds more than one YAML document", "remove the \"---\", or use include:");
    }
    void OnDocumentEnd() override {
        documents_.push_back({std::move(root_), complete_});
        root_.reset();
        anchors_.clear();
        complete_ = true;
    }
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        auto n = std::make_shared<node>();
        n->at = at(mark);
        // An empty value has no text of its own: yaml-cpp points at what comes next, we at the key.
        if (!open_.empty() && open_.back().has_key) n->at = open_.back().key_at;
        finish({std::move(n), 1, 0, 0}, anchor);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        auto n = std::make_shared<node>();
        n->kind = node_kind::scalar;
        n->at = at(mark);
        n->text = value;
        n->quoted = tag != "?" && !tag.empty();
        if (n->quoted && tag != "!" && tag != "tag:yaml.org,2002:str") refuse_tag(n->at);
        // yaml-cpp turns the escapes \N and \_ into single bytes; a NUL would cut the text off in C.
        if (!is_utf8(value) || value.find('\0') != std::string::npos) {
            report(n->at, "an escape in this text gives no UTF-8 or a NUL", "write \\u0085 for \\N, \\u00a0 for \\_");
            n->text.clear();
        }
        finish({std::move(n), 1, 0, value.size()}, anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        start(node_kind::list, mark, tag, "tag:yaml.org,2002:seq", anchor);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        start(node_kind::map, mark, tag, "tag:yaml.org,2002:map", anchor);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapEnd() override { end(); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) stop(at(mark), "the alias stands inside what it refers to", "write it out");
        const subtree& target = found->second;
        if (open_.size() + target.height > document_depth_max) too_deep(at(mark));
        spend(target.nodes, target.bytes, at(mark));
        add(target);
    }

private:
    // A finished node with what it costs to walk it, aliases expanded.
    struct subtree {
        node_ptr top;
        std::size_t nodes = 1;
        std::size_t height = 0;
        std::size_t bytes = 0;  // of all scalars
    };
    // A mapping or list whose end has not come yet.
    struct unfinished {
        std::shared_ptr<node> n;
        YAML::anchor_t anchor = 0;
        std::size_t nodes = 1;
        std::size_t height = 1;
        std::size_t bytes = 0;
        // Of a map: the key that waits for its value, and where each key was first seen.
        bool has_key = false;
        bool key_usable = false;
        std::string key;
        place key_at;
        std::unordered_map<std::string, place> seen;
    };

    place at(const YAML::Mark& mark) const {
        const auto p = lines_.of_mark(mark.line, mark.column);
        return {file_, p.line, p.column};
    }
    void report(const place& where, std::string message, std::string hint = {}) {
        problems_.add(where, {}, std::move(message), std::move(hint));
    }
    [[noreturn]] void stop(const place& where, std::string message, std::string hint) {
        report(where, std::move(message), std::move(hint));
        throw stop_parsing{};
    }
    [[noreturn]] void too_deep(const place& where) {
        stop(where, fmt::format("nested deeper than {} levels", document_depth_max), {});
    }
    // Counts what a walk over the tree will meet, so that aliases of aliases cannot blow it up.
    void spend(std::size_t nodes, std::size_t bytes, const place& where) {
        nodes_ += nodes;
        bytes_ += bytes;
        if (nodes_ > document_nodes_max) {
            stop(where, fmt::format("more than {} values, aliases expanded", document_nodes_max), "split the file");
        }
        if (bytes_ > document_expanded_max) {
            stop(where, fmt::format("more than {} MiB of text, aliases expanded", document_expanded_max >> 20), {});
        }
    }
    void refuse_tag(const place& where) {
        report(where, "YAML tags are not supported", "remove the tag; quotes make a text");
    }

    void start(node_kind kind, const YAML::Mark& mark, const std::string& tag, std::string_view plain_tag,
               YAML::anchor_t anchor) {
        unfinished u;
        u.n = std::make_shared<node>();
        u.n->kind = kind;
        u.n->at = at(mark);
        u.anchor = anchor;
        if (!tag.empty() && tag != "?" && tag != "!" && tag != plain_tag) refuse_tag(u.n->at);
        if (open_.size() == document_depth_max) too_deep(u.n->at);
        spend(1, 0, u.n->at);
        open_.push_back(std::move(u));
    }
    void end() {
        unfinished u = std::move(open_.back());
        open_.pop_back();
        anchor(u.anchor, subtree{u.n, u.nodes, u.height, u.bytes});
        add({std::move(u.n), u.nodes, u.height, u.bytes});
    }
    void finish(subtree scalar, YAML::anchor_t id) {
        spend(1, scalar.bytes, scalar.top->at);
        anchor(id, scalar);
        add(std::move(scalar));
    }
    void anchor(YAML::anchor_t id, const subtree& target) {
        if (id != 0) anchors_[id] = target;
    }

    // Puts a finished node where it belongs: at the top, into a list, as a key or as a key's value.
    void add(subtree child) {
        if (open_.empty()) {
            root_ = std::move(child.top);
            return;
        }
        unfinished& parent = open_.back();
        parent.nodes += child.nodes;
        parent.bytes += child.bytes;
        parent.height = std::max(parent.height, child.height + 1);
        if (parent.n->kind == node_kind::list) {
            parent.n->items.push_back(std::move(child.top));
        } else if (!parent.has_key) {
            take_key(parent, *child.top);
        } else {
            parent.has_key = false;
            if (parent.key_usable) {
                parent.n->members.push_back({std::move(parent.key), parent.key_at, std::move(child.top)});
            }
        }
    }
    void take_key(unfinished& map, const node& key) {
        map.has_key = true;
        map.key = key.text;
        map.key_at = key.at;
        map.key_usable = false;
        if (key.kind != node_kind::scalar) {
            complete_ = false;
            report(key.at, "a key must be a text", key.kind == node_kind::null ? "quote it: \"null\"" : "");
        } else if (key.text == "<<" && !key.quoted) {
            complete_ = false;
            report(key.at, "merge keys (<<) are not supported", "write the keys out, or use include:");
        } else if (const auto [first, fresh] = map.seen.emplace(key.text, key.at); !fresh) {
            report(key.at, fmt::format("duplicate key {}", excerpt(key.text)),
                   fmt::format("it stands at {} already", to_string(first->second)));
        } else {
            map.key_usable = true;
        }
    }

    const line_index& lines_;
    const std::shared_ptr<const std::string> file_;
    const expected expected_;
    problem_list& problems_;
    std::vector<document> documents_;
    std::size_t nodes_ = 0;  // of all documents
    std::size_t bytes_ = 0;
    bool complete_ = true;
    std::vector<unfinished> open_;
    std::unordered_map<YAML::anchor_t, subtree> anchors_;  // finished ones only
    node_ptr root_;
};

// A stream over bytes that stay where they are.
struct view_buffer final : std::streambuf {
    explicit view_buffer(std::string_view text) {
        char* begin = const_cast<char*>(text.data());  // read only: no put area is set
        setg(begin, begin, begin + text.size());
    }
};

node_ptr empty_map(const std::shared_ptr<const std::string>& file) {
    auto n = std::make_shared<node>();
    n->kind = node_kind::map;
    n->at = {file, 1, 1};
    return n;
}

// The documents of a text that could be understood; nothing when it could not.
std::optional<std::vector<document>> read_documents(std::string_view text,
                                                    const std::shared_ptr<const std::string>& file, expected how_many,
                                                    problem_list& problems) {
    if (text.size() > document_bytes_max) {
        problems.add({file, 0, 0}, {}, fmt::format("larger than {} MiB", document_bytes_max >> 20),
                     how_many == expected::one ? "split it with include:" : "split it");
        return std::nullopt;
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const line_index lines{text};
    auto fault = find_fault(text);
    if (!fault) fault = find_tab_indent(text);
    if (!fault) fault = find_bracket_flood(text, brackets_open_max);
    if (fault) {
        const auto p = lines.of_offset(fault->at);
        problems.add({file, p.line, p.column}, {}, fault->what, fault->hint);
        return std::nullopt;
    }

    tree_builder builder{lines, file, how_many, problems};
    // yaml-cpp takes a quote that is never closed for closed by the end of the file, but not by the
    // end of the document.
    std::string ended{text};
    ended += text.ends_with('\n') || text.empty() ? "...\n" : "\n...\n";
    view_buffer bytes{ended};
    std::istream in{&bytes};
    try {
        YAML::Parser parser{in};
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const stop_parsing&) {
        return std::nullopt;
    } catch (const YAML::Exception& e) {
        const auto p = lines.of_mark(e.mark.line, e.mark.column);
        if (e.msg == YAML::ErrorMsg::DOC_IN_SCALAR) {
            problems.add({file, p.line, p.column}, {}, "a quoted text does not end", "look for a lost quote above");
        } else {
            problems.add({file, p.line, p.column}, {}, "not valid YAML: " + e.msg);
        }
        return std::nullopt;
    }
    return builder.take();
}

bool empty(const document& d) {
    return !d.root || d.root->kind == node_kind::null;
}

// Is its top a mapping? If not, that is reported.
bool is_mapping(const document& d, problem_list& problems) {
    if (d.root->kind == node_kind::map) return true;
    problems.add(d.root->at, {}, fmt::format("expected a mapping at the top, got {}", noun(*d.root)));
    return false;
}

}  // namespace

document document::parse(std::string_view text, std::string name, problem_list& problems) {
    const auto file = std::make_shared<const std::string>(std::move(name));
    auto found = read_documents(text, file, expected::one, problems);
    if (!found) return {empty_map(file), false};
    if (found->empty() || empty(found->front())) {
        return {empty_map(file), found->empty() || found->front().complete};
    }
    if (!is_mapping(found->front(), problems)) return {empty_map(file), false};
    return std::move(found->front());
}

std::vector<document> document::parse_all(std::string_view text, std::string name, problem_list& problems) {
    const auto file = std::make_shared<const std::string>(std::move(name));
    auto found = read_documents(text, file, expected::any, problems);
    std::vector<document> all;
    if (!found) {
        all.push_back({empty_map(file), false});
        return all;
    }
    for (document& d : *found) {
        if (empty(d)) continue;
        if (!is_mapping(d, problems)) d = {empty_map(file), false};
        all.push_back(std::move(d));
    }
    return all;
}

document document::load(const std::string& path, problem_list& problems) {
    auto text = read_file(path, document_bytes_max);
    if (text) return parse(*text, path, problems);
    const auto file = std::make_shared<const std::string>(path);
    problems.add({file, 0, 0}, {}, "cannot be read: " + text.error().message);
    return {empty_map(file), false};
}

std::vector<document> document::load_all(const std::string& path, problem_list& problems) {
    auto text = read_file(path, document_bytes_max);
    if (text) return parse_all(*text, path, problems);
    const auto file = std::make_shared<const std::string>(path);
    problems.add({file, 0, 0}, {}, "cannot be read: " + text.error().message);
    return {{empty_map(file), false}};
}

}  // namespace sluice::config
