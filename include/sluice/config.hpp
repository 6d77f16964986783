// How a stage reads its part of the configuration.
//
// The owner of a config struct writes one function, and that function is at once the loader, the
// validation and the schema, since the same calls run against a YAML file and against the schema writer:
//
//   struct hello_config {
//       std::string text = "hello";   // what the stage answers
//       int status = 200;
//   };
//   void read(sluice::config_reader& r, hello_config& c) {
//       r.field("text", c.text, "What the stage answers.");
//       r.field("status", c.status, "HTTP status of the answer.", {.min = 200, .max = 599});
//   }
//
// A reader never throws and never stops at the first problem: it reports every one with
// file:line:column and leaves the field at its default. Keys nobody asked for are problems too.
#pragma once

#include <sluice/secret.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace sluice {

// A number of bytes: "8MiB", "64KiB", "500MB" or a plain number.
struct byte_size {
    std::uint64_t value = 0;
};

enum class presence : std::uint8_t { optional, required };

struct constraint {
    // Of numbers, of durations in seconds, of sizes in bytes, of lists and maps by their length.
    std::optional<double> min = std::nullopt;
    std::optional<double> max = std::nullopt;
    presence need = presence::optional;
};
inline constexpr double positive_min = 1;
inline const constraint required{.min = {}, .max = {}, .need = presence::required};

// One name of an enumeration as the file spells it.
template <class E>
struct enum_name {
    std::string_view name;
    E value;
};

class config_reader;

// One kind of section that may stand in a list of variants: its name in the file, what it is for, and
// who reads it. The schema writer calls `read` once to see the fields and discards what it made.
struct config_variant {
    std::string name;
    std::string doc;
    std::function<void(config_reader&)> read;
};

class config_reader {
public:
    // --- scalars ---------------------------------------------------------------------------------
    void field(std::string_view key, std::string& v, std::string_view doc, constraint c = {}) { text(key, v, doc, c); }
    void field(std::string_view key, secret& v, std::string_view doc, constraint c = {}) {
        secret_text(key, v, doc, c);
    }
    void field(std::string_view key, bool& v, std::string_view doc, constraint c = {}) { boolean(key, v, doc, c); }
    void field(std::string_view key, double& v, std::string_view doc, constraint c = {}) { number(key, v, doc, c); }
    void field(std::string_view key, byte_size& v, std::string_view doc, constraint c = {}) { size(key, v, doc, c); }
    // Durations are written with their unit: "250ms", "30s", "5m", "2h", "1d".
    void field(std::string_view key, std::chrono::milliseconds& v, std::string_view doc, constraint c = {}) {
        duration(key, v, doc, c);
    }
    template <class T>
        requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
    void field(std::string_view key, T& v, std::string_view doc, constraint c = {}) {
        auto wide = static_cast<std::int64_t>(v);
        integer(key, wide, doc, within<T>(c));
        v = static_cast<T>(wide);
    }
    template <class E>
    void one_of(std::string_view key, E& v, std::initializer_list<enum_name<E>> names, std::string_view doc,
                constraint c = {}) {
        std::vector<std::string_view> spelled;
        std::size_t at = names.size();  // stays there when the default has no name: then v is left alone
        for (const auto& n : names) {
            if (n.value == v) at = spelled.size();
            spelled.push_back(n.name);
        }
        choice(key, at, spelled, doc, c);
        if (at < names.size()) v = (names.begin() + at)->value;
    }

    // --- lists and maps of scalars ----------------------------------------------------------------
    void field(std::string_view key, std::vector<std::string>& v, std::string_view doc, constraint c = {}) {
        texts(key, v, doc, c);
    }
    // Each number is held to the range of T; min and max of the constraint are the length of the list.
    template <class T>
        requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
    void field(std::string_view key, std::vector<T>& v, std::string_view doc, constraint c = {}) {
        std::vector<std::int64_t> wide(v.begin(), v.end());
        integers(key, wide, doc, c, within<T>({}));
        v.clear();
        for (const std::int64_t n : wide) v.push_back(static_cast<T>(n));
    }
    void field(std::string_view key, std::map<std::string, std::string>& v, std::string_view doc, constraint c = {}) {
        text_map(key, v, doc, c);
    }
    // Any value at all, kept as JSON text: a body parameter, a schema.
    void json(std::string_view key, std::string& raw, std::string_view doc, constraint c = {}) {
        any(key, raw, doc, c);
    }
    // A map of any values, kept as JSON text by key.
    void json_map(std::string_view key, std::map<std::string, std::string>& v, std::string_view doc,
                  constraint c = {}) {
        any_map(key, v, doc, c);
    }

    // --- structs: read(config_reader&, T&) must be found by its argument ---------------------------
    template <class T>
    void section(std::string_view key, T& v, std::string_view doc, constraint c = {}) {
        if (!enter(key, doc, c)) return;
        if (descend(typeid(T))) read(*this, v);
        leave();
    }
    template <class T>
    void section(std::string_view key, std::optional<T>& v, std::string_view doc, constraint c = {}) {
        if (!enter(key, doc, c)) return;
        v.emplace();
        if (descend(typeid(T))) read(*this, *v);
        leave();
    }
    // A list that is written replaces the default, even an empty one.
    template <class T>
    void list(std::string_view key, std::vector<T>& v, std::string_view doc, constraint c = {}) {
        if (has(key)) v.clear();
        const std::size_t n = enter_list(key, doc, c);
        for (std::size_t i = 0; i < n; ++i) {
            enter_item(i);
            v.emplace_back();
            if (descend(typeid(T))) read(*this, v.back());
            leave();
        }
        if (n > 0) leave();
    }
    // Structs by a name of the operator's choice: `prices: {gpt-4o: {...}, claude: {...}}`.
    template <class T>
    void map(std::string_view key, std::map<std::string, T>& v, std::string_view doc, constraint c = {}) {
        if (has(key)) v.clear();
        const std::vector<std::string> names = enter_map(key, doc, c);
        for (const std::string& name : names) {
            enter_member(name);
            if (descend(typeid(T))) read(*this, v[name]);
            leave();
        }
        if (!names.empty()) leave();
    }
    // A list whose items each name what they are: `- auth: {api_key: {}}`, or `- relay` for an empty
    // section. The reader of the named kind is called for each item, in the order of the file.
    void variants(std::string_view key, const std::vector<config_variant>& kinds, std::string_view doc,
                  constraint c = {}) {
        each_variant(key, kinds, doc, c);
    }

    // --- for read() functions ----------------------------------------------------------------------
    // Was the key written in the file? (The schema writer says yes: it wants to see every field.)
    virtual bool has(std::string_view key) const = 0;
    // Reports a problem at a key of the section being read ("" means the section itself). The key may be a
    // path, so that a check over the whole file can point: "models[3].targets[0].provider". A message
    // never repeats the value of a secret.
    virtual void problem(std::string_view key, std::string message, std::string hint = {}) = 0;
    // Where the section being read stands: "gateway.yaml:42:7". For messages at run time.
    virtual std::string where() const = 0;

    // --- what an implementation provides ------------------------------------------------------------
    // A leave() is due after each enter() that said true, each enter_list() and enter_map() that found
    // something, and each enter_item() and enter_member().
    virtual bool enter(std::string_view key, std::string_view doc, const constraint& c) = 0;
    virtual std::size_t enter_list(std::string_view key, std::string_view doc, const constraint& c) = 0;
    virtual void enter_item(std::size_t i) = 0;
    virtual std::vector<std::string> enter_map(std::string_view key, std::string_view doc, const constraint& c) = 0;
    virtual void enter_member(std::string_view name) = 0;
    virtual void leave() = 0;
    // Is the section just entered to be read as this type? The schema writer says no where the type
    // holds itself, since its fields are written already.
    virtual bool descend(const std::type_info& type) = 0;

protected:
    ~config_reader() = default;
    virtual void text(std::string_view, std::string&, std::string_view doc, const constraint&) = 0;
    virtual void secret_text(std::string_view, secret&, std::string_view doc, const constraint&) = 0;
    virtual void boolean(std::string_view, bool&, std::string_view doc, const constraint&) = 0;
    virtual void integer(std::string_view, std::int64_t&, std::string_view doc, const constraint&) = 0;
    virtual void number(std::string_view, double&, std::string_view doc, const constraint&) = 0;
    virtual void size(std::string_view, byte_size&, std::string_view doc, const constraint&) = 0;
    virtual void duration(std::string_view, std::chrono::milliseconds&, std::string_view doc, const constraint&) = 0;
    virtual void choice(std::string_view, std::size_t& at, const std::vector<std::string_view>& names,
                        std::string_view doc, const constraint&) = 0;
    virtual void texts(std::string_view, std::vector<std::string>&, std::string_view doc, const constraint&) = 0;
    virtual void text_map(std::string_view, std::map<std::string, std::string>&, std::string_view doc,
                          const constraint&) = 0;
    virtual void integers(std::string_view, std::vector<std::int64_t>&, std::string_view doc, const constraint&,
                          const constraint& each) = 0;
    virtual void each_variant(std::string_view key, const std::vector<config_variant>& kinds, std::string_view doc,
                              const constraint&) = 0;
    virtual void any(std::string_view, std::string& raw, std::string_view doc, const constraint&) = 0;
    virtual void any_map(std::string_view, std::map<std::string, std::string>&, std::string_view doc,
                         const constraint&) = 0;

private:
    // What T cannot hold is out of range, whatever the constraint says.
    template <class T>
    static constraint within(constraint c) {
        using limits = std::numeric_limits<T>;
        if (std::is_unsigned_v<T> && (!c.min || *c.min < 0)) c.min = 0;
        if constexpr (sizeof(T) < sizeof(std::int64_t)) {
            if (!c.min || *c.min < limits::min()) c.min = limits::min();
            if (!c.max || *c.max > limits::max()) c.max = limits::max();
        }
        return c;
    }
};

}  // namespace sluice
