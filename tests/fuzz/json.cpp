// Any bytes: accepted or refused exactly as simdjson does, and what is accepted is read and edited consistently.
#include <sluice/json.hpp>

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

using namespace sluice;

namespace {

void require(bool fact) {
    if (!fact) std::abort();
}

void agree_with_oracle(const std::string& text) {
    static simdjson::dom::parser parser;
    const auto ours = validate_json(text);
    const auto theirs = parser.parse(text).error();
    if (ours.has_value()) {
        // Integers above 64 bits are a NUMBER_ERROR there (or a BIGINT_ERROR) and fine here.
        require(theirs == simdjson::SUCCESS || theirs == simdjson::NUMBER_ERROR);
    } else if (theirs == simdjson::SUCCESS) {
        require(ours.error().message.find("64 levels") != std::string::npos);
    }
}

void same_members(const json_object& a, const json_object& b) {
    require(a.members().size() == b.members().size());
    for (std::size_t i = 0; i < a.members().size(); ++i) {
        const json_member &x = a.members()[i], &y = b.members()[i];
        require(x.key == y.key && x.key_escaped == y.key_escaped && x.value.raw == y.value.raw &&
                x.value.type == y.value.type);
    }
}

void walk(const json_value& v) {
    (void)v.integer();
    (void)v.number();
    if (const auto text = v.string()) {
        // Written again and read again it is the same text.
        const std::string json = to_json_string(*text);
        require(json_value{json_type::string, json}.string() == *text);
    }
    for (const json_value& element : json_elements(v)) {
        require(validate_json(element.raw).has_value());
        walk(element);
    }
    if (v.type == json_type::object) {
        const auto indexed = json_object::inside(v);
        const auto parsed = json_object::parse(v.raw);
        require(indexed.has_value() == parsed.has_value());
        if (!indexed) return;
        same_members(*indexed, *parsed);
        for (const json_member& m : indexed->members()) walk(m.value);
    }
}

// Shown piece by piece, each time in memory of its own, it is read as at once.
void same_in_steps(std::string_view text, const result<json_object>& whole) {
    json_reader reader;
    for (std::size_t n = 0; n < text.size(); n += 1 + text.size() / 5) {
        const auto block = std::make_unique<char[]>(n);
        std::copy_n(text.data(), n, block.get());
        reader.advance({block.get(), n});
    }
    const auto stepped = reader.finish(text);
    require(stepped.has_value() == whole.has_value());
    if (whole) return same_members(*stepped, *whole);
    require(stepped.error().message == whole.error().message && stepped.error().param == whole.error().param);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A block of exactly this size, so that reading past its end is seen.
    const auto block = std::make_unique<char[]>(size);
    std::copy_n(data, size, block.get());
    const std::string_view text{block.get(), size};
    agree_with_oracle(std::string{text});
    const std::string written = to_json_string(text);
    require(validate_json(written).has_value());

    const auto o = json_object::parse(text);
    same_in_steps(text, o);
    if (!o) return 0;
    json_edits edits;
    edits.set(*o, "added \"", "[]");
    for (std::size_t i = 0; i < o->members().size(); ++i) {
        const json_member& m = o->members()[i];
        require(text.substr(m.begin, m.end - m.begin).ends_with(m.value.raw));
        walk(m.value);
        const std::string key = *json_value{json_type::string, text.substr(m.begin, m.key.size() + 2)}.string();
        if (i % 3 == size % 3) edits.remove(*o, key);
        if (i % 3 == (size + 1) % 3) edits.set(*o, key, "null");
    }
    const std::string edited = edits.apply(text);
    require(edited.size() == edits.size(text));
    require(json_object::parse(edited).has_value());
    return 0;
}
