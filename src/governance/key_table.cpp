#include "governance/key_table.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <set>

namespace sluice {
namespace {

// No key of ours or of a provider is longer; a longer text is not worth hashing.
constexpr std::size_t key_bytes_max = 1024;

std::size_t home(const key_digest& digest, std::size_t slots) {
    std::uint64_t word = 0;
    std::memcpy(&word, digest.data(), sizeof word);
    return static_cast<std::size_t>(word) & (slots - 1);
}

error bad_key(std::string message, const std::string& id) {
    return error{error_kind::bad_request, std::move(message), id};
}

result<hashed_key> hash_of(const key_config& key, const secret& pepper, key_hasher& hasher) {
    if (key.hash.empty() == key.key.empty()) return bad_key("needs either hash or key", key.id);
    if (!key.key.empty()) {
        const digest_form form = pepper.empty() ? digest_form::sha256 : digest_form::hmac_sha256;
        return hashed_key{form, hasher.digest(form, key.key.reveal())};
    }
    const auto hash = parse_key_hash(key.hash);
    if (!hash) return bad_key("hash must be sha256: or hmac-sha256: and 64 hex digits", key.id);
    if (hash->form == digest_form::hmac_sha256 && pepper.empty()) {
        return bad_key("hmac-sha256 needs key_pepper", key.id);
    }
    return *hash;
}

std::optional<int> digits(std::string_view text) {
    int value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
    return value;
}

}  // namespace

void read(config_reader& r, key_config& c) {
    r.field("id", c.id, "Names the key in logs, metrics and limits.", required);
    r.field("hash", c.hash, "sha256:<hex> or hmac-sha256:<hex> of the key, as `sluice keys` prints it.");
    r.field("key", c.key, "The key itself, by reference (${ENV} or ${file:...}), instead of hash.");
    r.field("tenant", c.tenant, "Who pays for the key.");
    r.field("models", c.models, "Globs of the models the key may use; all if absent.");
    r.field("expires", c.expires,
            "UTC date or time from which the key is refused: 2026-12-31 or 2026-12-31T18:00:00Z.");
    r.field("disabled", c.disabled, "Refuses the key without forgetting it.");
    r.field("metadata", c.metadata, "Free text about the key, such as its owner.");
    if (!c.hash.empty() && !parse_key_hash(c.hash)) {
        r.problem("hash", "expected sha256: or hmac-sha256: and 64 hex digits");
    }
    if (!c.hash.empty() && !c.key.empty()) r.problem("key", "hash and key exclude each other");
    if (!c.expires.empty() && !parse_expiry(c.expires)) {
        r.problem("expires", "expected a UTC date or time", "write 2026-12-31 or 2026-12-31T18:00:00Z");
    }
}

void read(config_reader& r, governance_config& c) {
    r.list("keys", c.keys, "API keys of clients.");
    r.field("key_pepper", c.key_pepper, "Secret that keys the digests of API keys (HMAC-SHA-256), by reference.");
}

std::optional<std::chrono::system_clock::time_point> parse_expiry(std::string_view text) {
    using namespace std::chrono;
    const bool has_time = text.size() == 20 && text[10] == 'T' && text[13] == ':' && text[16] == ':' && text[19] == 'Z';
    if (!has_time && text.size() != 10) return std::nullopt;
    if (text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto y = digits(text.substr(0, 4)), m = digits(text.substr(5, 2)), d = digits(text.substr(8, 2));
    if (!y || !m || !d) return std::nullopt;
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
    if (!date.ok()) return std::nullopt;
    if (!has_time) return sys_days{date};
    const auto h = digits(text.substr(11, 2)), min = digits(text.substr(14, 2)), s = digits(text.substr(17, 2));
    if (!h || !min || !s || *h > 23 || *min > 59 || *s > 60) return std::nullopt;
    return sys_days{date} + hours{*h} + minutes{*min} + seconds{*s};
}

result<std::shared_ptr<const key_table>> key_table::build(const governance_config& config) {
    auto table = std::make_shared<key_table>();
    table->pepper_ = config.key_pepper;
    const std::size_t slots = std::bit_ceil(std::max<std::size_t>(16, config.keys.size() * 4));
    for (form_index& index : table->by_form_) index.slots.resize(slots);

    key_hasher hasher = table->make_hasher();
    std::set<std::string_view> ids;
    for (const key_config& key : config.keys) {
        if (key.id.empty()) return bad_key("needs an id", key.id);
        if (!ids.insert(key.id).second) return bad_key("its id is taken", key.id);
        auto hash = hash_of(key, config.key_pepper, hasher);
        if (!hash) return hash.error();

        key_entry entry;
        entry.who.key_id = key.id;
        entry.who.tenant = key.tenant;
        entry.who.models = key.models;
        entry.who.anonymous = false;
        entry.disabled = key.disabled;
        entry.metadata = key.metadata;
        if (!key.expires.empty()) {
            entry.expires = parse_expiry(key.expires);
            if (!entry.expires) return bad_key("expires must be a UTC date or time", key.id);
        }
        table->entries_.push_back(std::move(entry));
        const auto number = static_cast<std::uint32_t>(table->entries_.size());
        if (!insert(table->by_form_[static_cast<std::size_t>(hash->form)], hash->digest, number)) {
            return bad_key("another key has the same hash", key.id);
        }
    }
    // Without any key a lookup still does the work of one, so that its time does not show that there are none.
    if (!table->by_form_[0].used && !table->by_form_[1].used) {
        table->by_form_[config.key_pepper.empty() ? 0 : 1].used = true;
    }
    return std::shared_ptr<const key_table>(std::move(table));
}

bool key_table::insert(form_index& index, const key_digest& digest, std::uint32_t entry) {
    const std::size_t from = home(digest, index.slots.size());
    for (std::size_t step = 0;; ++step) {
        slot& s = index.slots[(from + step) & (index.slots.size() - 1)];
        if (s.entry_plus_one != 0) {
            if (s.digest == digest) return false;
            continue;
        }
        s = {digest, entry};
        index.used = true;
        index.scanned = std::max(index.scanned, step + 1);
        return true;
    }
}

std::uint32_t key_table::lookup(const form_index& index, const key_digest& digest) {
    const std::size_t from = home(digest, index.slots.size());
    std::uint32_t found = 0;
    for (std::size_t step = 0; step < index.scanned; ++step) {
        const slot& s = index.slots[(from + step) & (index.slots.size() - 1)];
        const bool same = CRYPTO_memcmp(s.digest.data(), digest.data(), digest.size()) == 0;
        found |= s.entry_plus_one & (0U - static_cast<std::uint32_t>(same));  // no branch on the outcome
    }
    return found;
}

const key_entry* key_table::find(std::string_view presented, key_hasher& hasher) const {
    if (presented.size() > key_bytes_max) return nullptr;
    std::uint32_t found = 0;
    for (const digest_form form : {digest_form::sha256, digest_form::hmac_sha256}) {
        const form_index& index = by_form_[static_cast<std::size_t>(form)];
        if (index.used) found |= lookup(index, hasher.digest(form, presented));
    }
    return found == 0 ? nullptr : &entries_[found - 1];
}

}  // namespace sluice
