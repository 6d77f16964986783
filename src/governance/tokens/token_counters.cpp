#include "governance/tokens/token_counters.hpp"

#include <string>
#include <system_error>

namespace sluice::tokens {

result<std::shared_ptr<const token_counters>> token_counters::load(const std::filesystem::path& folder) {
    auto made = std::make_shared<token_counters>();
    bool any = false;
    for (const encoding e : {encoding::o200k_base, encoding::cl100k_base}) {
        const std::filesystem::path file = folder / (std::string(name_of(e)) + ".tiktoken");
        std::error_code ignored;
        if (!std::filesystem::exists(file, ignored)) continue;
        auto ranks = bpe_ranks::load(file.string());
        if (!ranks) return error{error_kind::bad_request, file.string() + ": " + ranks.error().message};
        made->counters_[static_cast<std::size_t>(e)] = std::make_unique<const bpe_counter>(e, std::move(*ranks));
        any = true;
    }
    if (!any) {
        return error{error_kind::bad_request, "\"" + folder.string() +
                                                  "\" has neither o200k_base.tiktoken nor cl100k_base.tiktoken: "
                                                  "scripts/lib/token-ranks prints a folder that has both"};
    }
    return std::shared_ptr<const token_counters>(std::move(made));
}

}  // namespace sluice::tokens
