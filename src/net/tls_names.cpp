#include "net/tls_names.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/asn1.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <optional>

namespace sluice::net {

namespace {

std::optional<std::string> text_of(const ASN1_STRING* s) {
    const std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(s)),
                           static_cast<std::size_t>(ASN1_STRING_length(s)));
    if (text.empty() || std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7f; }))
        return std::nullopt;
    return comparable(text);
}

std::optional<std::string> address_text(const ASN1_OCTET_STRING* s) {
    namespace ip = boost::asio::ip;
    const auto* raw = ASN1_STRING_get0_data(s);
    if (ASN1_STRING_length(s) == 4) {
        ip::address_v4::bytes_type bytes;
        std::copy_n(raw, bytes.size(), bytes.begin());
        return ip::address_v4{bytes}.to_string();
    }
    if (ASN1_STRING_length(s) == 16) {
        ip::address_v6::bytes_type bytes;
        std::copy_n(raw, bytes.size(), bytes.begin());
        return ip::address_v6{bytes}.to_string();
    }
    return std::nullopt;
}

}  // namespace

std::vector<std::string> names_of(X509& certificate) {
    std::vector<std::string> names;
    const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
        &GENERAL_NAMES_free);
    for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
        std::optional<std::string> text;
        if (name->type == GEN_DNS) text = text_of(name->d.dNSName);
        if (name->type == GEN_IPADD) text = address_text(name->d.iPAddress);
        if (text) names.push_back(std::move(*text));
    }
    if (!names.empty()) return names;
    const X509_NAME* subject = X509_get_subject_name(&certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0)
        if (auto text = text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)))) names.push_back(*text);
    return names;
}

std::chrono::system_clock::time_point not_after(const X509& certificate) {
    std::tm when{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &when) != 1) return {};
    return std::chrono::system_clock::from_time_t(timegm(&when));
}

bool name_matches(std::string_view pattern, std::string_view host) {
    if (!pattern.starts_with("*.")) return pattern == host;
    const std::size_t dot = host.find('.');
    return dot != host.npos && dot > 0 && host.substr(dot) == pattern.substr(1);
}

std::string comparable(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    std::string text{host};
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return text;
}

}  // namespace sluice::net
