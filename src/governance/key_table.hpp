// Who may call: the API keys of the configuration, as an immutable table that all workers read.
#pragma once

#include "governance/key_hash.hpp"

#include <sluice/config.hpp>
#include <sluice/exchange.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct key_config {
    std::string id;                   // names the key in logs, metrics and limits
    std::string hash;                 // "sha256:<hex>" or "hmac-sha256:<hex>"; or ...
    secret key;                       // ... the key itself, by reference (${ENV}); hashed when loaded
    std::string tenant;               // who pays; may be empty
    std::vector<std::string> models;  // globs of the models it may use; empty: all
    std::string expires;              // "2026-12-31" or "2026-12-31T18:00:00Z"; empty: never
    bool disabled = false;
    std::map<std::string, std::string> metadata;  // for people and logs; no effect
};
void read(config_reader& r, key_config& c);

// The top-level part of the configuration that says who may call.
struct governance_config {
    std::vector<key_config> keys;
    secret key_pepper;  // keys the digests "hmac-sha256:..." and of keys given by reference; may be empty
};
// Checks each key by itself; what keys must not have in common is found by key_table::build().
void read(config_reader& r, governance_config& c);

// "2026-12-31" (the start of that day) or "2026-12-31T18:00:00Z", both UTC. Nothing for another form.
std::optional<std::chrono::system_clock::time_point> parse_expiry(std::string_view text);

struct key_entry {
    identity who;
    std::optional<std::chrono::system_clock::time_point> expires;
    bool disabled = false;
    std::map<std::string, std::string> metadata;
};

// A set of keys found by digest. Immutable: swap the whole table to change it.
//
// A lookup takes the same path for every text a client may send: one digest per form in use and one scan of a
// fixed number of slots, each compared in constant time. So its time tells nothing about how close a guess was.
class key_table {
public:
    // Error (bad_request; param is the key's id): a hash or date that cannot be read, two keys of one id or of one
    // digest, hmac-sha256 without a pepper.
    static result<std::shared_ptr<const key_table>> build(const governance_config& config);

    // A hasher for find(): one per worker.
    key_hasher make_hasher() const { return key_hasher(pepper_.reveal()); }

    // The entry of that key, or nullptr. Whether it is disabled or expired is for the caller to check.
    const key_entry* find(std::string_view presented, key_hasher& hasher) const;

    std::size_t size() const { return entries_.size(); }
    const std::vector<key_entry>& entries() const { return entries_; }

private:
    struct slot {
        key_digest digest{};
        std::uint32_t entry_plus_one = 0;  // 0: free
    };
    struct form_index {
        bool used = false;
        std::vector<slot> slots;  // a power of two, at most a quarter of them taken
        std::size_t scanned = 0;  // slots that each lookup visits: the longest run of the table
    };
    static bool insert(form_index& index, const key_digest& digest, std::uint32_t entry);
    static std::uint32_t lookup(const form_index& index, const key_digest& digest);

    std::vector<key_entry> entries_;
    form_index by_form_[2];  // by digest_form
    secret pepper_;
};

}  // namespace sluice
