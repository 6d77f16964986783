// Any text as a key set: what is kept must fit at least one algorithm and verify nothing that is empty.
#include "governance/jose/jwk.hpp"
#include "governance/jose/signature.hpp"

#include <cstdlib>

using namespace sluice;
using namespace sluice::jose;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto keys = parse_jwks({reinterpret_cast<const char*>(data), size});
    if (!keys) return 0;
    for (const verification_key& key : keys->keys) {
        bool fits = false;
        for (int i = 0; i <= static_cast<int>(algorithm::eddsa); ++i) {
            const auto a = static_cast<algorithm>(i);
            if (!key.fits(a)) continue;
            fits = true;
            if (signature_matches(key, a, "message", "")) std::abort();
        }
        if (!fits) std::abort();
    }
    return 0;
}
