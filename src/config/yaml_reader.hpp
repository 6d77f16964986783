// The config_reader over a YAML tree: what read() functions see when a file is loaded or checked.
//
// Used by one thread, during one load. Every problem goes to the list; a field with a problem keeps its default,
// so that a half-read configuration is harmless to look at, but it must not be used.
#pragma once

#include <sluice/config.hpp>

#include "config/node.hpp"
#include "config/plain.hpp"
#include "config/problem.hpp"
#include "config/references.hpp"

namespace sluice::config {

struct quantity;  // what a number, duration or size must be: yaml_values.cpp

class yaml_reader final : public config_reader {
public:
    // `refs` and `problems` outlive the reader. `root` is a map.
    yaml_reader(node_ptr root, references& refs, problem_list& problems);

    // To be called once, behind the last field of the root: reports its unknown and missing keys.
    void finish();

    bool has(std::string_view key) const override;
    void problem(std::string_view key, std::string message, std::string hint = {}) override;
    std::string where() const override;

    bool enter(std::string_view key, std::string_view doc, const constraint& c) override;
    std::size_t enter_list(std::string_view key, std::string_view doc, const constraint& c) override;
    void enter_item(std::size_t i) override;
    std::vector<std::string> enter_map(std::string_view key, std::string_view doc, const constraint& c) override;
    void enter_member(std::string_view name) override;
    void leave() override;
    bool descend(const std::type_info&) override { return true; }  // the tree is finite

private:
    // The mapping, list or map of names that is being read.
    struct frame {
        node_ptr n;  // null: what should be a section is none; that was reported, its fields keep quiet
        std::string path;
        place at;
        bool strict = true;                      // a section, whose keys must be asked for
        std::size_t cursor = 0;                  // of enter_member(): names come in the order of the file
        mutable std::vector<std::string> known;  // keys that were asked for
        std::vector<std::string> missing;        // required keys that are not there
    };
    // A scalar with its references replaced.
    struct value {
        std::string text;
        bool quoted;
        bool referenced;
        plain_meaning meaning;  // of the text, whether quoted or not
        const place& at;
        const std::string& path;
    };

    void text(std::string_view key, std::string& v, std::string_view doc, const constraint& c) override;
    void secret_text(std::string_view key, secret& v, std::string_view doc, const constraint& c) override;
    void boolean(std::string_view key, bool& v, std::string_view doc, const constraint& c) override;
    void integer(std::string_view key, std::int64_t& v, std::string_view doc, const constraint& c) override;
    void number(std::string_view key, double& v, std::string_view doc, const constraint& c) override;
    void size(std::string_view key, byte_size& v, std::string_view doc, const constraint& c) override;
    void duration(std::string_view key, std::chrono::milliseconds& v, std::string_view doc,
                  const constraint& c) override;
    void choice(std::string_view key, std::size_t& at, const std::vector<std::string_view>& names, std::string_view doc,
                const constraint& c) override;
    void texts(std::string_view key, std::vector<std::string>& v, std::string_view doc, const constraint& c) override;
    void integers(std::string_view key, std::vector<std::int64_t>& v, std::string_view doc, const constraint& c,
                  const constraint& each) override;
    void text_map(std::string_view key, std::map<std::string, std::string>& v, std::string_view doc,
                  const constraint& c) override;
    void any(std::string_view key, std::string& raw, std::string_view doc, const constraint& c) override;
    void any_map(std::string_view key, std::map<std::string, std::string>& v, std::string_view doc,
                 const constraint& c) override;
    void each_variant(std::string_view key, const std::vector<config_variant>& kinds, std::string_view doc,
                      const constraint& c) override;

    // Structure: yaml_reader.cpp.
    const member* find(std::string_view key, const constraint& c);
    node_ptr find_of_kind(std::string_view key, node_kind kind, const constraint& c, std::string& path);
    void push(node_ptr n, std::string path, bool strict);
    void push_section(const node_ptr& n, std::string path);
    void check_length(std::size_t n, const constraint& c, const place& at, const std::string& path);
    void report_unknown(const frame& f);
    void read_variant(const node_ptr& item, const std::string& path, const std::vector<config_variant>& kinds);
    void wrong_kind(const node& n, const std::string& path, std::string_view expected);

    // Values: yaml_values.cpp. Each reports its own problem and then returns nothing.
    std::optional<value> scalar(const node& n, const std::string& path, std::string_view expected);
    std::optional<std::string> as_text(const node& n, const std::string& path, bool secret);
    std::optional<std::int64_t> as_integer(const node& n, const std::string& path, const constraint& c);
    bool append_json(const node& n, const std::string& path, std::string& out);
    bool append_scalar_json(const node& n, const std::string& path, std::string& out);
    bool in_range(const value& v, double amount, const quantity& q);
    void refuse(const value& v, const std::string& expected, std::string hint = {});

    references& refs_;
    problem_list& problems_;
    std::vector<frame> frames_;  // the root first
};

}  // namespace sluice::config
