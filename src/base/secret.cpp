#include <sluice/secret.hpp>

#include <openssl/crypto.h>

#include <utility>

namespace sluice {

secret::secret(secret&& other) noexcept : text_(other.text_) {
    other.wipe();  // a short string moves by copy and would leave its text behind
}

secret& secret::operator=(const secret& other) {
    if (this != &other) {
        wipe();
        text_ = other.text_;
    }
    return *this;
}

secret& secret::operator=(secret&& other) noexcept {
    if (this != &other) {
        wipe();
        text_ = other.text_;
        other.wipe();
    }
    return *this;
}

bool secret::equals(std::string_view other) const {
    return text_.size() == other.size() && CRYPTO_memcmp(text_.data(), other.data(), other.size()) == 0;
}

void secret::wipe() {
    OPENSSL_cleanse(text_.data(), text_.size());
    text_.clear();
}

}  // namespace sluice
