// Text that must never be printed: an API key, a password, a token.
//
// There is no operator<<, no formatter and no conversion to string; `reveal()` is the one way out and
// easy to search for. The memory is wiped when the object dies.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

class secret {
public:
    secret() = default;
    explicit secret(std::string text) : text_(std::move(text)) {}
    secret(const secret&) = default;
    secret(secret&& other) noexcept;
    secret& operator=(const secret& other);
    secret& operator=(secret&& other) noexcept;
    ~secret() { wipe(); }

    // The text itself. Send it, hash it or compare it; never log it.
    std::string_view reveal() const { return text_; }
    bool empty() const { return text_.empty(); }

    // Same text? Takes the same time wherever they differ.
    bool equals(std::string_view other) const;

private:
    void wipe();
    std::string text_;
};

}  // namespace sluice
