// Heads of HTTP messages: what a stage reads of the request and may change of the reply.
//
// A head owns its text in one block, so that it stays valid while the connection's read buffer is given
// back. Clearing a head keeps its memory: a worker recycles heads and allocates nothing per request.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// Header fields in the order in which they came. Names compare without case.
class header_list {
public:
    struct field {
        std::string_view name;
        std::string_view value;
    };

    // The first field of that name; nothing if there is none.
    std::optional<std::string_view> find(std::string_view name) const;
    bool contains(std::string_view name) const { return find(name).has_value(); }
    // How many fields have that name.
    std::size_t count(std::string_view name) const;

    // A field can never hold what would split a head: control bytes of a value become spaces, bytes of a
    // name that no token may have become '_', and a field without a name is not added. Refuse such input
    // earlier, with valid_header_value(), where somebody can be told. Name and value may be views into
    // this list. Views handed out earlier die with the next add or set, not with a removal.
    void add(std::string_view name, std::string_view value);
    void set(std::string_view name, std::string_view value);  // replaces every field of that name
    void remove(std::string_view name);                       // every field of that name
    // Adds the fields of another list for which wanted(field) holds, at a fraction of what add() costs: they were
    // looked at when they came into that list.
    template <class Wanted>
    void add_from(const header_list& other, Wanted wanted) {
        reserve(size() + other.size(), text_.size() + other.bytes_max());
        for (std::size_t i = 0; i < other.size(); ++i) {
            if (wanted(other[i])) add_as_it_is(other, i);
        }
    }
    // Every field for which unwanted(field) holds.
    template <class Unwanted>
    void remove_if(Unwanted unwanted) {
        std::erase_if(entries_, [&](const entry& e) { return unwanted(at(e)); });
    }
    void clear();  // keeps the memory
    // The i-th field as it goes over the wire, "Name: value\r\n", if it stands in the text like that (it does,
    // unless it came with other white space); else empty. Lines of neighbours may touch: then they are one run.
    std::string_view line(std::size_t i) const {
        const entry& e = entries_[i];
        const std::size_t colon = std::size_t{e.name_at} + e.name_size;
        const std::size_t end = std::size_t{e.value_at} + e.value_size;
        if (e.value_at != colon + 2 || end + 2 > text_.size()) return {};
        const char* const text = text_.data();
        if (std::memcmp(text + colon, ": ", 2) != 0 || std::memcmp(text + end, "\r\n", 2) != 0) return {};
        return {text + e.name_at, end + 2 - e.name_at};
    }
    // No less than all fields as lines need.
    std::size_t bytes_max() const { return text_.size() + 4 * entries_.size(); }
    void reserve(std::size_t fields, std::size_t bytes);

    // For parsers, which have validated what they pass. adopt() empties the list and copies a whole block of
    // text at once; each place() then adds a field by where it stands in that block.
    void adopt(std::string_view block);
    void place(std::uint32_t name_at, std::uint32_t name_size, std::uint32_t value_at, std::uint32_t value_size) {
        entries_.push_back({name_at, name_size, value_at, value_size});
    }

    std::size_t size() const { return entries_.size(); }
    bool empty() const { return entries_.empty(); }
    field operator[](std::size_t i) const { return at(entries_[i]); }

    class iterator {
    public:
        iterator(const header_list* list, std::size_t at) : list_(list), at_(at) {}
        field operator*() const { return (*list_)[at_]; }
        iterator& operator++() {
            ++at_;
            return *this;
        }
        bool operator!=(const iterator& other) const { return at_ != other.at_; }

    private:
        const header_list* list_;
        std::size_t at_;
    };
    iterator begin() const { return {this, 0}; }
    iterator end() const { return {this, entries_.size()}; }

private:
    struct entry {
        std::uint32_t name_at, name_size, value_at, value_size;  // offsets into text_
    };
    field at(const entry& e) const {
        const char* text = text_.data();
        return {{text + e.name_at, e.name_size}, {text + e.value_at, e.value_size}};
    }
    void add_as_it_is(const header_list& other, std::size_t i);
    std::string text_;
    std::vector<entry> entries_;
};

// How the body of a message is delimited on the wire (RFC 9112 section 6).
enum class framing : std::uint8_t { none, length, chunked, until_close };

struct request_head {
    std::string method;  // "GET", "POST", ... as sent: methods are case-sensitive
    std::string target;  // origin form: "/v1/models?limit=2"
    std::string host;    // from Host or the absolute form, lower case, with its port if there was one
    int minor_version = 1;
    header_list headers;
    framing body = framing::none;
    std::uint64_t content_length = 0;  // with framing::length
    bool keep_alive = true;
    bool expect_continue = false;
    bool upgrade = false;  // "Connection: upgrade" with an Upgrade field

    std::string_view path() const;   // target up to '?', as sent (percent-encoded)
    std::string_view query() const;  // behind '?', without it; may be empty
    void clear();                    // keeps the memory
};

struct response_head {
    int status = 200;
    int minor_version = 1;
    header_list headers;
    framing body = framing::none;
    std::uint64_t content_length = 0;
    bool keep_alive = true;
    bool upgrade = false;  // 101 with an Upgrade field

    // Content-Type without its parameters equals this one, without case.
    bool has_content_type(std::string_view type) const;
    void clear();
};

// ASCII only, as header names and hosts compare.
bool iequals(std::string_view a, std::string_view b);
// Visible ASCII, space, tab and bytes >= 0x80: what may stand in a field value we send.
bool valid_header_value(std::string_view value);
// RFC 9110 token: what may stand in a field name.
bool valid_header_name(std::string_view name);

}  // namespace sluice
