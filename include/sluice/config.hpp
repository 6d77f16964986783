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
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice {

// A number of bytes: "8MiB", "64KiB", "500MB" or a plain number.
struct byte_size {
    std::uint64_t value = 0;
};

enum class presence : std::uint8_t { optional, required };

struct constraint {
    std::optional<double> min, max;  // numbers, durations in seconds, sizes in bytes, lengths of lists
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

class config_reader {
public:
    // --- scalars ---------------------------------------------------------------------------------
    void field(std::string_view key, std::string& v, std::string_view doc, constraint c = {}) { text(key, v, doc, c); }
    void field(std::string_view key, secret& v, std::string_view doc, constraint c = {}) { secret_text(key, v, doc, c); }
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
        if (!c.min && std::is_unsigned_v<T>) c.min = 0;
        integer(key, wide, doc, c);
        v = static_cast<T>(wide);
    }
    template <class E>
    void one_of(std::string_view key, E& v, std::initializer_list<enum_name<E>> names, std::string_view doc,
                constraint c = {}) {
        std::vector<std::string_view> spelled;
        std::size_t at = 0;
        for (const auto& n : names) {
            if (n.value == v) at = spelled.size();
            spelled.push_back(n.name);
        }
        choice(key, at, spelled, doc, c);
        v = (names.begin() + at)->value;
    }

    // --- lists and maps of scalars ----------------------------------------------------------------
    void field(std::string_view key, std::vector<std::string>& v, std::string_view doc, constraint c = {}) {
        texts(key, v, doc, c);
    }
    void field(std::string_view key, std::map<std::string, std::string>& v, std::string_view doc, constraint c = {}) {
        text_map(key, v, doc, c);
    }
    // Any value at all, kept as JSON text: a body parameter, a schema.
    void json(std::string_view key, std::string& raw, std::string_view doc, constraint c = {}) { any(key, raw, doc, c); }
    // A map of any values, kept as JSON text by key.
    void json_map(std::string_view key, std::map<std::string, std::string>& v, std::string_view doc, constraint c = {}) {
        any_map(key, v, doc, c);
    }

    // --- structs: read(config_reader&, T&) must be found by its argument ---------------------------
    template <class T>
    void section(std::string_view key, T& v, std::string_view doc, constraint c = {}) {
        if (enter(key, doc, c)) {
            read(*this, v);
            leave();
        }
    }
    template <class T>
    void section(std::string_view key, std::optional<T>& v, std::string_view doc, constraint c = {}) {
        if (enter(key, doc, c)) {
            v.emplace();
            read(*this, *v);
            leave();
        }
    }
    template <class T>
    void list(std::string_view key, std::vector<T>& v, std::string_view doc, constraint c = {}) {
        const std::size_t n = enter_list(key, doc, c);
        for (std::size_t i = 0; i < n; ++i) {
            enter_item(i);
            v.emplace_back();
            read(*this, v.back());
            leave();
        }
        if (n > 0) leave();
    }

    // --- for read() functions ----------------------------------------------------------------------
    // Was the key written in the file? (The schema writer says yes: it wants to see every field.)
    virtual bool has(std::string_view key) const = 0;
    // Reports a problem at a key of the section being read ("" means the section itself).
    virtual void problem(std::string_view key, std::string message, std::string hint = {}) = 0;
    // Where the section being read stands: "gateway.yaml:42:7". For messages at run time.
    virtual std::string where() const = 0;

    // --- what an implementation provides ------------------------------------------------------------
    virtual bool enter(std::string_view key, std::string_view doc, const constraint& c) = 0;
    virtual std::size_t enter_list(std::string_view key, std::string_view doc, const constraint& c) = 0;
    virtual void enter_item(std::size_t i) = 0;
    virtual void leave() = 0;

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
    virtual void any(std::string_view, std::string& raw, std::string_view doc, const constraint&) = 0;
    virtual void any_map(std::string_view, std::map<std::string, std::string>&, std::string_view doc,
                         const constraint&) = 0;
};

}  // namespace sluice
