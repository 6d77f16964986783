// JSON values as templates see them: cheap to copy, never changed once made.
//
// A value knows whose it is. What stands in the operator's configuration or in the template itself is trusted;
// what came as an argument or in an answer is not, and neither is what a function made of both. Where a value is
// placed decides what that means: see placing.hpp.
#pragma once

#include <sluice/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::mcp::rest {

class value {
public:
    enum class kind : std::uint8_t { missing, null, boolean, number, string, array, object };
    using list = std::vector<value>;
    using member = std::pair<std::string, value>;
    using members = std::vector<member>;
    static constexpr std::size_t parsed_max = 200'000;  // values in one text: some 120 bytes each
    static constexpr unsigned depth_max = 128;          // arrays and objects within each other

    value() = default;  // missing: a path that leads nowhere
    static value null() { return value{kind::null}; }
    static value boolean(bool b);
    static value integer(std::int64_t n);
    static value number(double n);  // what JSON cannot say (NaN, infinity) becomes null
    // A number by its JSON text, which is kept: 1.10 stays 1.10, and digits beyond a double's are not lost.
    static value number_text(std::string text);
    static value string(std::string text);
    // Error: more than depth_max levels. Of members with one key the first is found, as gjson does.
    static result<value> array(list items);
    static result<value> object(members in_order);
    // Any JSON text, as validate_json() takes it. Error: bad_request with the place, payload_too_large for
    // more than parsed_max values.
    static result<value> parse(std::string_view json);

    kind type() const { return kind_; }
    bool is(kind k) const { return kind_ == k; }
    bool trusted() const { return trusted_; }
    // The same value, trusted or not; what is reached through a trusted value is trusted too.
    value as_trusted(bool trusted = true) const;
    // A string that is JSON already, made by toJson: placed as it is where JSON is expected.
    bool is_json() const { return json_; }
    value as_json() const;

    // Go's truth: not missing, null, false, 0, "", [] or {}.
    bool truth() const;
    std::optional<std::int64_t> to_integer() const;  // of a whole number, or of a string that spells one
    std::optional<double> to_number() const;
    std::string_view text_view() const;  // of a string or number; else empty
    const list& items() const;           // of an array; else none
    const members& fields() const;       // of an object, in order; else none
    std::size_t size() const;            // elements, members or bytes of a string
    // The member of that name, or the element of that index in digits; else missing.
    value get(std::string_view key) const;
    value at(std::size_t index) const;

    // As a template prints it (gjson's String): missing and null are "", arrays and objects are JSON.
    // Stops behind `bytes_max`; then the text is longer than that and cut at random.
    std::string text(std::size_t bytes_max) const;
    std::string json(std::size_t bytes_max) const;  // missing is null

private:
    struct list_node;
    struct object_node;
    explicit value(kind k) : kind_(k) {}
    void append_json(std::string& out, std::size_t bytes_max) const;
    unsigned depth() const;

    kind kind_ = kind::missing;
    bool bool_ = false;
    bool trusted_ = false;
    bool json_ = false;
    std::shared_ptr<const std::string> text_;  // of a string or a number
    std::shared_ptr<const list_node> list_;
    std::shared_ptr<const object_node> object_;
};

}  // namespace sluice::mcp::rest
