// Any bytes, cut anywhere: the same counts as in one piece.
#include "http/usage_scanner.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

using namespace sluice;

namespace {

token_usage scan(std::string_view text, std::string_view cuts) {
    http::usage_scanner scanner;
    std::size_t turn = 0;
    while (!text.empty()) {
        const std::size_t n =
            cuts.empty()
                ? text.size()
                : std::min<std::size_t>(1 + static_cast<unsigned char>(cuts[turn++ % cuts.size()]) % 40, text.size());
        const auto piece = std::make_unique<char[]>(n);
        std::copy_n(text.data(), n, piece.get());
        text.remove_prefix(n);
        scanner.feed({piece.get(), n});
    }
    return scanner.usage();
}

bool same(const token_usage& a, const token_usage& b) {
    return a.input == b.input && a.output == b.output && a.cached_input == b.cached_input && a.reasoning == b.reasoning;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const std::string_view all{reinterpret_cast<const char*>(data), size};
    const std::string_view text = all.substr(4);
    const token_usage whole = scan(text, {});
    if (!same(whole, scan(text, all.substr(0, 4))) || !same(whole, scan(text, std::string_view("\0", 1)))) std::abort();
    if (whole.input < -1 || whole.output < -1 || whole.cached_input < -1 || whole.reasoning < -1) std::abort();
    (void)http::is_usage_only_chunk(text);
    return 0;
}
