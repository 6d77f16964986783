#include "net/tls_error.hpp"

#include "net/tls_names.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace sluice::net {

namespace {

constexpr int entries_max = 4;  // the first ones tell the cause
constexpr int names_max = 5;

std::string take_queue() {
    std::string text;
    int entries = 0;
    const char* data = nullptr;
    int flags = 0;
    while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
        if (entries++ >= entries_max) continue;
        if (!text.empty()) text += "; ";
        const char* reason = ERR_reason_error_string(code);
        if (ERR_SYSTEM_ERROR(code)) {
            text += std::generic_category().message(ERR_GET_REASON(code));
        } else {
            text += reason != nullptr ? reason : "error " + std::to_string(code);
        }
        if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0')
            text.append(" (").append(data).append(")");
    }
    return text;
}

// Whom a refused certificate was for, in a slot of the SSL object.
int refusal_slot() {
    static const int index = SSL_get_ex_new_index(
        0, nullptr, nullptr, nullptr,
        [](void*, void* held, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(held); });
    return index;
}

std::string list_names(X509& certificate) {
    std::string text;
    int listed = 0;
    for (const auto& name : names_of(certificate)) {
        if (listed++ == names_max) return text + ", ...";
        text.append(text.empty() ? "" : ", ").append(name);
    }
    return text.empty() ? "nobody" : text;
}

// "certificate has expired"; for another host, also whom the certificate is for.
std::string verification(const SSL* ssl) {
    if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) return {};
    const long verdict = SSL_get_verify_result(ssl);
    if (verdict == X509_V_OK) return {};
    std::string text = X509_verify_cert_error_string(verdict);
    if (const auto* names = static_cast<const std::string*>(SSL_get_ex_data(ssl, refusal_slot())))
        text += ": it is for " + *names;
    return text;
}

}  // namespace

std::string describe_tls_error(const SSL* ssl) {
    const int system_error = errno;
    std::string queue = take_queue();
    std::string verdict = ssl != nullptr ? verification(ssl) : std::string{};
    ERR_clear_error();
    if (!verdict.empty()) return "the certificate is refused: " + verdict;
    if (!queue.empty()) return queue;
    if (system_error != 0) return std::generic_category().message(system_error);
    return "the connection was closed";
}

int note_refusal(int verdict, X509_STORE_CTX* checked) {
    const int why = X509_STORE_CTX_get_error(checked);
    if (verdict == 1 || (why != X509_V_ERR_HOSTNAME_MISMATCH && why != X509_V_ERR_IP_ADDRESS_MISMATCH)) return verdict;
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(checked, SSL_get_ex_data_X509_STORE_CTX_idx()));
    X509* certificate = X509_STORE_CTX_get0_cert(checked);
    if (ssl == nullptr || certificate == nullptr || SSL_get_ex_data(ssl, refusal_slot()) != nullptr) return verdict;
    auto names = std::make_unique<std::string>(list_names(*certificate));
    std::string* given = names.release();  // the SSL object's, unless it does not take it
    if (SSL_set_ex_data(ssl, refusal_slot(), given) != 1) delete given;
    return verdict;
}

error tls_handshake_error(const SSL* ssl, std::string_view peer) {
    std::string message = "no TLS with ";
    message.append(peer).append(": ").append(describe_tls_error(ssl));
    return error{error_kind::upstream_tls, std::move(message)};
}

error tls_file_error(std::string_view what, std::string_view file) {
    std::string message{what};
    message.append(" ").append(file).append(": ").append(describe_tls_error());
    return error{error_kind::bad_request, std::move(message)};
}

}  // namespace sluice::net
