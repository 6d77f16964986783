#include "base/ascii.hpp"

#include <catch2/catch.hpp>

#include <sluice/message.hpp>

#include <cstring>
#include <string>

using namespace sluice;

namespace {

// The answers that the fast ways must give, by the slow way.
std::size_t control_at(const std::string& s) {
    for (std::size_t i = 0; i < s.size(); ++i) {
        const auto u = static_cast<unsigned char>(s[i]);
        if ((u < 0x20 && u != '\t') || u == 0x7f) return i;
    }
    return s.size();
}

}  // namespace

TEST_CASE("scans find every byte at every place, and only within their range") {
    for (int byte = 0; byte < 256; ++byte) {
        for (std::size_t at = 0; at < 40; ++at) {
            std::string s(40, 'a');
            s[at] = static_cast<char>(byte);
            const char* const end = s.data() + s.size();
            const auto control = static_cast<std::size_t>(ascii::find_control(s.data(), end) - s.data());
            const auto token = static_cast<std::size_t>(ascii::find_token_end(s.data(), end) - s.data());
            if (control != control_at(s)) FAIL_CHECK("control " << byte << " at " << at);
            if (token != ascii::token.span(s)) FAIL_CHECK("token " << byte << " at " << at);
            // A hit behind the end is none.
            if (ascii::find_control(s.data(), s.data() + at) != s.data() + at) FAIL_CHECK("beyond, " << byte);
        }
    }
}

TEST_CASE("eight bytes are lowered like each of them") {
    for (int byte = 0; byte < 256; ++byte) {
        for (std::size_t at = 0; at < 8; ++at) {
            std::string s{"aZ@[`{\xc1\xda"};
            s[at] = static_cast<char>(byte);
            std::uint64_t word = 0;
            std::memcpy(&word, s.data(), 8);
            word = ascii::lower(word);
            for (char& c : s) c = ascii::lower(c);
            if (std::memcmp(&word, s.data(), 8) != 0) FAIL_CHECK("byte " << byte << " at " << at);
        }
    }
}

TEST_CASE("names of fields compare with lower-case literals at any length") {
    CHECK(ascii::token_equals("TE", "te"));
    CHECK(ascii::token_equals("Connection", "connection"));
    CHECK(ascii::token_equals("TRANSFER-ENCODING", "transfer-encoding"));
    CHECK_FALSE(ascii::token_equals("transfer-encodinh", "transfer-encoding"));
    CHECK_FALSE(ascii::token_equals("uransfer-encoding", "transfer-encoding"));
    CHECK_FALSE(ascii::token_equals("transfer_encoding", "transfer-encoding"));
    CHECK_FALSE(ascii::token_equals("connectio", "connection"));
}

TEST_CASE("letters are compared without case, other bytes with every bit") {
    CHECK(iequals("Content-Type", "cONTENT-tYPE"));
    CHECK_FALSE(iequals("12345678@", "12345678`"));
    CHECK_FALSE(iequals("[2345678", "{2345678"));
    CHECK_FALSE(iequals("a\r345678", "a-345678"));
    CHECK_FALSE(iequals("content-type", "content-typf"));
}
