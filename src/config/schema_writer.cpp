#include "config/schema_writer.hpp"

#include "config/json_text.hpp"
#include "config/plain.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace sluice::config {
namespace {

// A scalar that holds a ${reference}; `$${` is none.
constexpr std::string_view reference_pattern = R"((^|[^$])\\$\\{)";
// Type identities end recursion; this ends read() functions that enter sections by hand for ever.
constexpr std::size_t depth_max = 64;

// Schemas are built as the members of a JSON object without its braces, so that a description can be added.
std::string braced(std::string_view members) {
    return fmt::format("{{{}}}", members);
}

std::string number_bounds(const constraint& c) {
    std::string out;
    if (c.min) out += ",\"minimum\":" + number_json(*c.min);
    if (c.max) out += ",\"maximum\":" + number_json(*c.max);
    return out;
}

// With `what` Items or Properties.
std::string length_bounds(const constraint& c, std::string_view what) {
    std::string out;
    if (c.min) out += fmt::format(",\"min{}\":{}", what, number_json(std::ceil(*c.min)));
    if (c.max) out += fmt::format(",\"max{}\":{}", what, number_json(std::floor(*c.max)));
    return out;
}

template <class Spell>
std::string bounds_in_words(const constraint& c, Spell spell) {
    std::string out;
    if (c.min) out += fmt::format(" At least {}.", spell(*c.min));
    if (c.max) out += fmt::format(" At most {}.", spell(*c.max));
    return out;
}

std::string quoted_list(const auto& texts) {
    std::vector<std::string> quoted;
    for (const auto& t : texts) quoted.push_back(quote_json(t));
    return fmt::format("[{}]", fmt::join(quoted, ","));
}

class schema_writer final : public config_reader {
public:
    schema_writer() { frames_.emplace_back(); }

    std::string finish() {
        put("include", "Further files, relative to this one; the last part of a path may be a pattern.", {},
            R"("type":["string","array"],"items":{"type":"string"})");
        std::string out = R"("$schema":"https://json-schema.org/draft/2020-12/schema","title":"Sluice configuration",)";
        out += object(frames_.back());
        out +=
            fmt::format(R"(,"$defs":{{"reference":{{"type":"string","pattern":"{}","description":)", reference_pattern);
        out += quote_json("Taken from the environment or a file: ${NAME}, ${NAME:-default} or ${file:/path}.") + "}";
        for (const definition& d : definitions_) out += "," + quote_json(d.name) + ":" + braced(d.members);
        return indent_json(braced(out + "}"));
    }

    bool has(std::string_view) const override { return true; }
    void problem(std::string_view, std::string, std::string) override {}
    std::string where() const override { return "schema"; }

    bool enter(std::string_view key, std::string_view doc, const constraint& c) override {
        return open(role::section, key, doc, c);
    }
    std::size_t enter_list(std::string_view key, std::string_view doc, const constraint& c) override {
        return open(role::list, key, doc, c) ? 1 : 0;
    }
    void enter_item(std::size_t) override { frames_.emplace_back(); }
    std::vector<std::string> enter_map(std::string_view key, std::string_view doc, const constraint& c) override {
        if (!open(role::map, key, doc, c)) return {};
        return {"name"};
    }
    void enter_member(std::string_view) override { frames_.emplace_back(); }
    void leave() override {
        std::string members = close();
        frame& parent = frames_.back();
        if (parent.kind == role::section) {
            put(closed_.key, closed_.doc, closed_.c, std::move(members));
        } else {
            parent.item = std::move(members);
        }
    }
    bool descend(const std::type_info& type) override { return identify(type.name()); }

private:
    enum class role : std::uint8_t { section, list, map };
    // A section, list or map that is being described. The schema of a list's or map's items comes in by `item`.
    struct frame {
        role kind = role::section;
        std::string key, doc;
        constraint c;
        std::vector<std::pair<std::string, std::string>> properties;  // key, members of its schema
        std::vector<std::string> required;
        std::string item;
        std::string identity;    // of the type described; empty if unknown
        std::string definition;  // its name, once something refers to it
        std::string ref;         // described elsewhere, under this name
        // The item of a list of variants: exactly one of its keys, or one of these names alone.
        bool variant = false;
        std::vector<std::string> bare;
    };
    // What a $ref can point at.
    struct definition {
        std::string identity, name, members;
    };

    bool open(role kind, std::string_view key, std::string_view doc, const constraint& c) {
        if (frames_.size() >= depth_max) {
            put(key, doc, c, {});
            return false;
        }
        frame f;
        f.kind = kind;
        f.key = key;
        f.doc = doc;
        f.c = c;
        frames_.push_back(std::move(f));
        return true;
    }

    // Says what the innermost frame describes. False: it is described already, and the frame refers there.
    bool identify(std::string identity) {
        frame& here = frames_.back();
        for (const definition& d : definitions_) {
            if (d.identity == identity) here.ref = d.name;
        }
        for (frame& outer : frames_) {
            if (&outer == &here || outer.identity != identity) continue;
            if (outer.definition.empty()) outer.definition = fmt::format("recursive{}", ++recursive_types_);
            here.ref = outer.definition;
        }
        if (here.ref.empty()) here.identity = std::move(identity);
        return here.ref.empty();
    }

    // Takes the innermost frame off and returns its schema.
    std::string close() {
        closed_ = std::move(frames_.back());
        frames_.pop_back();
        if (!closed_.ref.empty()) return refer(closed_.ref);
        std::string members = object(closed_);
        if (closed_.definition.empty()) return members;
        definitions_.push_back({closed_.identity, closed_.definition, std::move(members)});
        return refer(closed_.definition);
    }
    static std::string refer(std::string_view name) { return fmt::format(R"("$ref":"#/$defs/{}")", name); }

    static std::string object(const frame& f) {
        if (f.kind == role::list) {
            return fmt::format(R"("type":"array","items":{}{})", braced(f.item), length_bounds(f.c, "Items"));
        }
        if (f.kind == role::map) {
            return fmt::format(R"("type":"object","additionalProperties":{}{})", braced(f.item),
                               length_bounds(f.c, "Properties"));
        }
        std::string out = R"("type":"object","properties":{)";
        for (const auto& [key, members] : f.properties) {
            if (!out.ends_with('{')) out += ',';
            out += quote_json(key) + ":" + braced(members);
        }
        out += '}';
        if (!f.required.empty()) out += ",\"required\":" + quoted_list(f.required);
        out += R"(,"additionalProperties":false)";
        if (!f.variant) return out;
        out = braced(out + R"(,"minProperties":1,"maxProperties":1)");
        if (!f.bare.empty()) out = fmt::format(R"({{"enum":{}}},{})", quoted_list(f.bare), out);
        return fmt::format(R"("anyOf":[{}])", out);
    }

    // Adds a property to the section being described. `fallback` is the default as JSON, empty for none.
    void put(std::string_view key, std::string_view doc, const constraint& c, std::string members,
             std::string_view fallback = {}) {
        frame& f = frames_.back();
        const auto same = [&](const auto& property) { return property.first == key; };
        if (std::any_of(f.properties.begin(), f.properties.end(), same)) return;
        std::string all;
        if (!doc.empty()) all = "\"description\":" + quote_json(doc);
        if (!all.empty() && !members.empty()) all += ',';
        all += members;
        if (c.need == presence::required) {
            f.required.emplace_back(key);
        } else if (!fallback.empty()) {
            all += fmt::format("{}\"default\":{}", all.empty() ? "" : ",", fallback);
        }
        f.properties.emplace_back(key, std::move(all));
    }

    void text(std::string_view key, std::string& v, std::string_view doc, const constraint& c) override {
        const bool needed = c.need == presence::required;
        put(key, doc, c, needed ? R"("type":"string","minLength":1)" : R"("type":"string")",
            v.empty() ? std::string{} : quote_json(v));
    }
    void secret_text(std::string_view key, secret&, std::string_view doc, const constraint& c) override {
        std::string none;  // a secret's default is nobody's business
        text(key, none, doc, c);
    }
    void boolean(std::string_view key, bool& v, std::string_view doc, const constraint& c) override {
        put(key, doc, c, fmt::format(R"("type":["boolean","string"],"pattern":"{}")", reference_pattern),
            v ? "true" : "false");
    }
    void integer(std::string_view key, std::int64_t& v, std::string_view doc, const constraint& c) override {
        put(key, doc, c, integer_members(c), std::to_string(v));
    }
    static std::string integer_members(const constraint& c) {
        return fmt::format(R"("type":["integer","string"],"pattern":"{}"{})", reference_pattern, number_bounds(c));
    }
    void number(std::string_view key, double& v, std::string_view doc, const constraint& c) override {
        put(key, doc, c,
            fmt::format(R"("type":["number","string"],"pattern":"{}"{})", reference_pattern, number_bounds(c)),
            std::isfinite(v) ? number_json(v) : std::string{});
    }
    void size(std::string_view key, byte_size& v, std::string_view doc, const constraint& c) override {
        const auto spell = [](double n) { return spell_size(static_cast<std::uint64_t>(n)); };
        put(key, std::string{doc} + bounds_in_words(c, spell), c,
            fmt::format(R"("type":["integer","string"],"minimum":0,"pattern":"{}|{}","examples":["8MiB"])",
                        R"(^(0|[1-9][0-9]*)((\\.[0-9]+)?([KMGT]i?)?B)?$)", reference_pattern),
            quote_json(spell_size(v.value)));
    }
    void duration(std::string_view key, std::chrono::milliseconds& v, std::string_view doc,
                  const constraint& c) override {
        const auto spell = [](double s) { return spell_duration(std::chrono::milliseconds{std::llround(s * 1000)}); };
        put(key, std::string{doc} + bounds_in_words(c, spell), c,
            fmt::format(R"("type":"string","pattern":"{}|{}","examples":["250ms","30s","5m","2h","1d"])",
                        R"(^(0|[1-9][0-9]*)(\\.[0-9]+)?(ms|s|m|h|d)$)", reference_pattern),
            quote_json(spell_duration(v)));
    }
    void choice(std::string_view key, std::size_t& at, const std::vector<std::string_view>& names, std::string_view doc,
                const constraint& c) override {
        put(key, doc, c, fmt::format(R"("anyOf":[{{"enum":{}}},{{{}}}])", quoted_list(names), refer("reference")),
            at < names.size() ? quote_json(names[at]) : std::string{});
    }
    void texts(std::string_view key, std::vector<std::string>& v, std::string_view doc, const constraint& c) override {
        put(key, doc, c, R"("type":["string","array"],"items":{"type":"string"})" + length_bounds(c, "Items"),
            v.empty() ? std::string{} : quoted_list(v));
    }
    void integers(std::string_view key, std::vector<std::int64_t>& v, std::string_view doc, const constraint& c,
                  const constraint& each) override {
        put(key, doc, c,
            fmt::format(R"("type":"array","items":{}{})", braced(integer_members(each)), length_bounds(c, "Items")),
            v.empty() ? std::string{} : fmt::format("[{}]", fmt::join(v, ",")));
    }
    void text_map(std::string_view key, std::map<std::string, std::string>& v, std::string_view doc,
                  const constraint& c) override {
        std::vector<std::string> fallback;
        for (const auto& [name, value] : v) fallback.push_back(quote_json(name) + ":" + quote_json(value));
        put(key, doc, c, R"("type":"object","additionalProperties":{"type":"string"})" + length_bounds(c, "Properties"),
            v.empty() ? std::string{} : fmt::format("{{{}}}", fmt::join(fallback, ",")));
    }
    void any(std::string_view key, std::string& raw, std::string_view doc, const constraint& c) override {
        put(key, doc, c, {}, raw);
    }
    void any_map(std::string_view key, std::map<std::string, std::string>&, std::string_view doc,
                 const constraint& c) override {
        put(key, doc, c, R"("type":"object")" + length_bounds(c, "Properties"));
    }

    // Items are a name alone, where the kind needs no key, or a mapping with one key.
    void each_variant(std::string_view key, const std::vector<config_variant>& kinds, std::string_view doc,
                      const constraint& c) override {
        if (!open(role::list, key, doc, c)) return;
        frames_.emplace_back();  // the item
        std::vector<std::string> names;
        for (const config_variant& k : kinds) names.push_back(k.name);
        if (identify(fmt::format("variants {} {}", key, fmt::join(names, " ")))) describe_variants(kinds);
        leave();
        leave();
    }
    void describe_variants(const std::vector<config_variant>& kinds) {
        std::vector<std::string> bare;
        for (const config_variant& k : kinds) {
            if (!open(role::section, k.name, k.doc, {})) continue;
            k.read(*this);
            if (frames_.back().required.empty()) bare.push_back(k.name);
            leave();
        }
        frames_.back().variant = true;
        frames_.back().bare = std::move(bare);
    }

    std::vector<frame> frames_;  // the root first
    frame closed_;               // the last one taken off
    std::vector<definition> definitions_;
    int recursive_types_ = 0;
};

}  // namespace

std::string write_schema(const std::function<void(config_reader&)>& read_root) {
    schema_writer writer;
    read_root(writer);
    return writer.finish();
}

}  // namespace sluice::config
