#include "mcp/protocol/sealer.hpp"

#include "base/base64.hpp"
#include "base/random.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>

namespace sluice::mcp {
namespace {

constexpr std::size_t nonce_bytes = 12, tag_bytes = 16, expiry_bytes = 8;
constexpr std::size_t text_bytes_max = 1 << 20;

using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

// No two pairs give the same bytes.
std::string associated(std::string_view purpose, std::string_view about) {
    return std::string(purpose).append(1, '\0').append(about);
}

std::string eight_bytes(std::uint64_t n) {
    std::string out(expiry_bytes, '\0');
    for (std::size_t i = 0; i < expiry_bytes; ++i) out[i] = static_cast<char>(n >> (8 * i));
    return out;
}

std::uint64_t number_of(std::string_view eight) {
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < expiry_bytes; ++i) n |= std::uint64_t{static_cast<unsigned char>(eight[i])} << (8 * i);
    return n;
}

std::uint64_t seconds(std::chrono::system_clock::time_point t) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count());
}

}  // namespace

sealer::sealer(const secret& shared) {
    if (shared.empty()) {
        fill_secure(std::as_writable_bytes(std::span(key_)));
        return;
    }
    const std::string text = std::string("sluice mcp seal 1:").append(shared.reveal());
    SHA256(bytes(text), text.size(), key_.data());
}

std::string sealer::seal(std::string_view purpose, std::string_view about, std::string_view text,
                         std::chrono::system_clock::time_point expires) const {
    const std::string plain = eight_bytes(seconds(expires)).append(text);
    const std::string bound = associated(purpose, about);
    std::string out(nonce_bytes + plain.size() + tag_bytes, '\0');
    fill_secure(std::as_writable_bytes(std::span(out.data(), nonce_bytes)));
    const cipher_context c(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    unsigned char* const body = bytes(out) + nonce_bytes;
    int n = 0;
    const bool sealed = c && plain.size() <= text_bytes_max &&
                        EVP_EncryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes(out)) == 1 &&
                        EVP_EncryptUpdate(c.get(), nullptr, &n, bytes(bound), static_cast<int>(bound.size())) == 1 &&
                        EVP_EncryptUpdate(c.get(), body, &n, bytes(plain), static_cast<int>(plain.size())) == 1 &&
                        EVP_EncryptFinal_ex(c.get(), body + n, &n) == 1 &&
                        EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, body + plain.size()) == 1;
    if (!sealed) throw std::runtime_error("sealing a text failed");
    return base64url_encode(out);
}

std::optional<std::string> sealer::open(std::string_view purpose, std::string_view about, std::string_view sealed,
                                        std::chrono::system_clock::time_point now) const {
    if (sealed.size() > 2 * text_bytes_max) return std::nullopt;
    auto text = base64url_decode(sealed);
    if (!text || text->size() < nonce_bytes + expiry_bytes + tag_bytes) return std::nullopt;
    const std::string bound = associated(purpose, about);
    const std::size_t size = text->size() - nonce_bytes - tag_bytes;
    std::string plain(size, '\0');
    const cipher_context c(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int n = 0;
    const bool opened =
        c && EVP_DecryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes(*text)) == 1 &&
        EVP_DecryptUpdate(c.get(), nullptr, &n, bytes(bound), static_cast<int>(bound.size())) == 1 &&
        EVP_DecryptUpdate(c.get(), bytes(plain), &n, bytes(*text) + nonce_bytes, static_cast<int>(size)) == 1 &&
        EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, bytes(*text) + nonce_bytes + size) == 1 &&
        EVP_DecryptFinal_ex(c.get(), bytes(plain) + n, &n) == 1;
    if (!opened || number_of(plain) < seconds(now)) return std::nullopt;
    return plain.substr(expiry_bytes);
}

}  // namespace sluice::mcp
