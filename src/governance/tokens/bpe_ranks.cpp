#include "governance/tokens/bpe_ranks.hpp"

#include "base/base64.hpp"
#include "config/file_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

namespace sluice::tokens {
namespace {

std::uint64_t hash_of(std::string_view bytes) {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15ULL;
    std::uint64_t h = (bytes.size() + 1) * odd;
    const auto mix = [&](std::uint64_t word) {
        h = (h ^ word) * odd;
        h ^= h >> 32U;
    };
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        mix(word);
    }
    std::uint64_t rest = 0;
    if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
    mix(rest);
    mix(0);
    return h;
}

std::optional<std::uint32_t> read_rank(std::string_view digits) {
    std::uint32_t rank = 0;
    const auto [stop, code] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (code != std::errc{} || stop != digits.data() + digits.size() || rank == bpe_ranks::none) return std::nullopt;
    return rank;
}

}  // namespace

class rank_file_reader {
public:
    result<std::shared_ptr<const bpe_ranks>> read(std::string_view file) {
        const auto lines = static_cast<std::size_t>(std::ranges::count(file, '\n')) + 1;
        made_->make_room(std::min(lines, rank_entries_max));
        while (!file.empty()) {
            const std::size_t end = std::min(file.find('\n'), file.size());
            ++line_;
            if (const char* problem = take(file.substr(0, end))) return at_line(problem);
            file.remove_prefix(std::min(end + 1, file.size()));
        }
        return checked_whole();
    }

private:
    // What is wrong with the line, or nullptr.
    const char* take(std::string_view line) {
        const std::size_t gap = line.find(' ');
        if (gap == std::string_view::npos) return "expected BASE64, a space and a rank";
        if (made_->size() == rank_entries_max) return "more than 400000 tokens";
        if (gap > (token_bytes_max + 2) / 3 * 4) return "the token is longer than 1024 bytes";
        const auto token = base64_decode(line.substr(0, gap));
        if (!token || token->empty()) return "the token is not base64";
        if (token->size() > token_bytes_max) return "the token is longer than 1024 bytes";
        const auto rank = read_rank(line.substr(gap + 1));
        if (!rank) return "the rank is no number";
        return made_->insert(*token, *rank) ? nullptr : "the token was there before";
    }

    result<std::shared_ptr<const bpe_ranks>> checked_whole() {
        for (int c = 0; c < 256; ++c) {
            const char byte = static_cast<char>(c);
            if (made_->rank_of({&byte, 1}) == bpe_ranks::none)
                return error{error_kind::bad_request, fmt::format("byte 0x{:02x} is no token", c)};
        }
        // Entries stand in the order of the lines.
        std::vector<std::pair<std::uint32_t, std::size_t>> ranks;
        for (const auto& e : made_->entries_) ranks.emplace_back(e.rank, ranks.size() + 1);
        std::ranges::sort(ranks);
        for (std::size_t i = 1; i < ranks.size(); ++i) {
            line_ = ranks[i].second;
            if (ranks[i].first == ranks[i - 1].first) return at_line("the rank was there before");
        }
        made_->bytes_.shrink_to_fit();
        return std::shared_ptr<const bpe_ranks>{std::move(made_)};
    }

    error at_line(const char* problem) const {
        return error{error_kind::bad_request, fmt::format("line {}: {}", line_, problem)};
    }

    std::shared_ptr<bpe_ranks> made_{new bpe_ranks};
    std::size_t line_ = 0;
};

result<std::shared_ptr<const bpe_ranks>> bpe_ranks::load(const std::string& path) {
    const auto file = config::read_file(path, rank_file_bytes_max);
    if (!file) return file.error();
    return parse(*file);
}

result<std::shared_ptr<const bpe_ranks>> bpe_ranks::parse(std::string_view file) {
    if (file.size() > rank_file_bytes_max) return error{error_kind::payload_too_large, "larger than 64 MiB"};
    return rank_file_reader{}.read(file);
}

std::uint32_t bpe_ranks::rank_of(std::string_view bytes) const {
    if (bytes.size() > longest_) return none;
    const std::uint64_t hash = hash_of(bytes);
    const auto fingerprint = static_cast<std::uint32_t>(hash >> 32U);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash & mask; slots_[i].entry != none; i = (i + 1) & mask) {
        if (slots_[i].fingerprint != fingerprint) continue;
        const entry& e = entries_[slots_[i].entry];
        if (bytes_of(e) == bytes) return e.rank;
    }
    return none;
}

void bpe_ranks::make_room(std::size_t entries) {
    entries_.reserve(entries);
    slots_.assign(std::bit_ceil(2 * entries), slot{});
}

bool bpe_ranks::insert(std::string_view bytes, std::uint32_t rank) {
    longest_ = std::max(longest_, bytes.size());
    if (rank_of(bytes) != none) return false;
    const std::uint64_t hash = hash_of(bytes);
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = hash & mask;
    while (slots_[i].entry != none) i = (i + 1) & mask;
    slots_[i] = {static_cast<std::uint32_t>(hash >> 32U), static_cast<std::uint32_t>(entries_.size())};
    entries_.push_back({static_cast<std::uint32_t>(bytes_.size()), rank, static_cast<std::uint16_t>(bytes.size())});
    bytes_ += bytes;
    return true;
}

}  // namespace sluice::tokens
