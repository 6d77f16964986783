#include "governance/key_table.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace sluice;

namespace {

key_config hashed(std::string id, std::string_view key, std::string_view pepper = {}) {
    key_config c;
    c.id = std::move(id);
    c.hash = hash_key(key, pepper);
    return c;
}

std::shared_ptr<const key_table> table_of(std::vector<key_config> keys, std::string pepper = {}) {
    auto built = key_table::build({std::move(keys), secret(std::move(pepper))});
    REQUIRE(built.has_value());
    return *built;
}

}  // namespace

TEST_CASE("a key hashes to the published digests, again and again") {
    CHECK(hash_key("abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const std::string mac = "hmac-sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    CHECK(hash_key("what do ya want for nothing?", "Jefe") == mac);
    key_hasher hasher("Jefe");
    for (int i = 0; i < 3; ++i) {
        const auto digest = hasher.digest(digest_form::hmac_sha256, "what do ya want for nothing?");
        CHECK(to_string({digest_form::hmac_sha256, digest}) == mac);
        CHECK(to_string({digest_form::sha256, hasher.digest(digest_form::sha256, "abc")}) == hash_key("abc"));
    }
}

TEST_CASE("the text of a hash is read back, and nothing else is a hash") {
    const std::string text = hash_key("abc");
    REQUIRE(parse_key_hash(text).has_value());
    CHECK(to_string(*parse_key_hash(text)) == text);
    CHECK_FALSE(parse_key_hash(text + "0"));
    CHECK_FALSE(parse_key_hash(text.substr(0, text.size() - 1)));
    CHECK_FALSE(parse_key_hash("md5:00"));
    CHECK_FALSE(parse_key_hash("sha256:" + std::string(64, 'g')));
    CHECK_FALSE(parse_key_hash(""));
}

TEST_CASE("generated keys differ, and a mistyped one is recognised") {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        std::string key = generate_key();
        CHECK(key.size() == 59);
        CHECK(is_generated_key(key));
        CHECK(seen.insert(key).second);
        key[20] = key[20] == 'a' ? 'b' : 'a';
        CHECK_FALSE(is_generated_key(key));
    }
    CHECK_FALSE(is_generated_key("sk-sluice-"));
    CHECK_FALSE(is_generated_key("sk-other"));
}

TEST_CASE("a key is found by what it is, and no other text finds it") {
    key_config c = hashed("team-a", "sk-one");
    c.tenant = "a";
    c.models = {"gpt-*"};
    const auto table = table_of({c, hashed("team-b", "sk-two")});
    auto hasher = table->make_hasher();
    const key_entry* found = table->find("sk-one", hasher);
    REQUIRE(found != nullptr);
    CHECK(found->who.key_id == "team-a");
    CHECK(found->who.tenant == "a");
    CHECK_FALSE(found->who.anonymous);
    CHECK(found->who.may_use("gpt-4o"));
    CHECK_FALSE(found->who.may_use("claude"));
    CHECK(table->find("sk-two", hasher)->who.key_id == "team-b");
    CHECK(table->find("sk-thre", hasher) == nullptr);
    CHECK(table->find("", hasher) == nullptr);
    CHECK(table->find(hash_key("sk-one"), hasher) == nullptr);  // a stolen hash is no key
    CHECK(table->find(std::string(70000, 'a'), hasher) == nullptr);
}

TEST_CASE("keys with a pepper are found with it alone, beside keys from before it") {
    key_config plain;
    plain.id = "by-reference";
    plain.key = secret("sk-three");
    const auto table = table_of({hashed("old", "sk-one"), hashed("new", "sk-two", "p"), plain}, "p");
    auto hasher = table->make_hasher();
    CHECK(table->find("sk-one", hasher)->who.key_id == "old");
    CHECK(table->find("sk-two", hasher)->who.key_id == "new");
    CHECK(table->find("sk-three", hasher)->who.key_id == "by-reference");
    key_hasher other("q");
    CHECK(table->find("sk-two", other) == nullptr);
}

TEST_CASE("thousands of keys are all found") {
    std::vector<key_config> keys;
    for (int i = 0; i < 3000; ++i) keys.push_back(hashed("k" + std::to_string(i), "sk-" + std::to_string(i)));
    const auto table = table_of(std::move(keys));
    auto hasher = table->make_hasher();
    for (int i = 0; i < 3000; ++i) {
        const key_entry* found = table->find("sk-" + std::to_string(i), hasher);
        REQUIRE(found != nullptr);
        REQUIRE(found->who.key_id == "k" + std::to_string(i));
    }
    CHECK(table->find("sk-3000", hasher) == nullptr);
}

TEST_CASE("an empty table finds nobody") {
    const auto table = table_of({});
    auto hasher = table->make_hasher();
    CHECK(table->find("sk-one", hasher) == nullptr);
    CHECK(table->size() == 0);
}

TEST_CASE("keys that cannot be told apart or read are refused") {
    const auto refused = [](std::vector<key_config> keys) { return !key_table::build({std::move(keys), {}}); };
    CHECK(refused({hashed("a", "x"), hashed("a", "y")}));
    CHECK(refused({hashed("a", "x"), hashed("b", "x")}));
    CHECK(refused({hashed("", "x")}));
    CHECK(refused({hashed("a", "x", "pepper")}));  // but no pepper is configured
    key_config neither;
    neither.id = "a";
    CHECK(refused({neither}));
    key_config both = hashed("a", "x");
    both.key = secret("x");
    CHECK(refused({both}));
    key_config dated = hashed("a", "x");
    dated.expires = "tomorrow";
    CHECK(refused({dated}));
}

TEST_CASE("expiry dates are read as UTC") {
    using namespace std::chrono;
    CHECK(parse_expiry("1970-01-02") == sys_days{1970y / 1 / 2});
    CHECK(parse_expiry("2026-12-31T18:00:05Z") == sys_days{2026y / 12 / 31} + 18h + 5s);
    for (const auto* bad : {"", "2026-13-01", "2026-02-30", "2026-1-1", "2026-12-31T24:00:00Z", "2026-12-31T18:00:00",
                            "2026-12-31T18:00:00+01:00", "31.12.2026", "20a6-12-31", "-026-12-31"}) {
        INFO(bad);
        CHECK_FALSE(parse_expiry(bad));
    }
}
