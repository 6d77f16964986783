// Any text as a token: it must be read or refused without harm, and never verify under a key it was not signed with.
#include "governance/jose/claims.hpp"
#include "governance/jose/jws.hpp"

#include <sluice/json.hpp>

#include <array>
#include <cstdlib>

using namespace sluice;
using namespace sluice::jose;

namespace {

constexpr std::array every_algorithm = {algorithm::hs256,  algorithm::hs384, algorithm::hs512, algorithm::rs256,
                                        algorithm::rs384,  algorithm::rs512, algorithm::ps256, algorithm::ps384,
                                        algorithm::ps512,  algorithm::es256, algorithm::es384, algorithm::es512,
                                        algorithm::es256k, algorithm::eddsa};

key_set public_keys() {
    auto set = parse_jwks(
        R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},)"
        R"({"kty":"EC","crv":"P-256","kid":"ec","x":"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY",)"
        R"("y":"UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw"}]})");
    if (!set || set->keys.size() != 2) std::abort();
    return std::move(*set);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const key_set keys = public_keys();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto token = read_compact(text);
    if (!token) return 0;
    if (token->signing_input.size() > text.size()) std::abort();
    (void)verify_signature(*token, keys, every_algorithm);
    const auto claims = json_object::parse(token->payload);
    if (claims) (void)check_claims(*claims, {"https://issuer", {"gateway"}}, std::chrono::system_clock::time_point{});
    return 0;
}
