#include "routing/sigv4.hpp"

#include "base/ids.hpp"
#include "http/path.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>

namespace sluice::routing {
namespace {

std::string sha256(const std::vector<std::string_view>& pieces) {
    std::array<unsigned char, 32> out{};
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    for (const std::string_view p : pieces) EVP_DigestUpdate(context.get(), p.data(), p.size());
    EVP_DigestFinal_ex(context.get(), out.data(), nullptr);
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, 32> out{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), out.data(), &size);
    return {reinterpret_cast<const char*>(out.data()), size};
}

// "a=1&b" with its parameters sorted and encoded as AWS wants them.
std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    while (!query.empty()) {
        const std::string_view part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), part.size() + 1));
        if (part.empty()) continue;
        const auto equals = part.find('=');
        const auto decoded = [](std::string_view text) {
            const auto plain = http::percent_decode(text);
            return plain ? *plain : std::string(text);
        };
        std::string name, value;
        http::percent_encode(name, decoded(part.substr(0, equals)));
        if (equals != std::string_view::npos) http::percent_encode(value, decoded(part.substr(equals + 1)));
        parameters.emplace_back(std::move(name), std::move(value));
    }
    std::sort(parameters.begin(), parameters.end());
    std::string out;
    for (const auto& [name, value] : parameters) {
        if (!out.empty()) out += '&';
        out.append(name).append("=").append(value);
    }
    return out;
}

// Every service but S3 signs the path without dot segments and doubled slashes, encoded once more than it is sent.
std::string canonical_path(std::string_view path, bool s3) {
    if (s3) return path.empty() ? "/" : std::string(path);
    const bool ends_in_folder = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        const std::string_view segment = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(path.size(), segment.size() + 1));
        if (segment == "..") {
            if (!segments.empty()) segments.pop_back();
        } else if (!segment.empty() && segment != ".") {
            segments.push_back(segment);
        }
    }
    std::string out;
    for (const std::string_view segment : segments) {
        out += '/';
        http::percent_encode(out, segment);
    }
    if (out.empty() || ends_in_folder) out += '/';
    return out;
}

std::string trimmed(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
        out += c;
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

std::string lower(std::string_view name) {
    std::string out(name);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

}  // namespace

void sign_sigv4(const credential_config::sigv4_config& c, std::string_view method, std::string_view host,
                std::string_view path_and_query, const std::vector<std::string_view>& body,
                std::chrono::system_clock::time_point when, header_list& headers, bool payload_header) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char stamp[17], day[9];
    std::strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    std::strftime(day, sizeof day, "%Y%m%d", &utc);
    const std::string payload = to_hex(sha256(body));

    headers.set("x-amz-date", stamp);
    if (payload_header) headers.set("x-amz-content-sha256", payload);
    if (!c.session_token.empty()) headers.set("x-amz-security-token", c.session_token.reveal());

    std::map<std::string, std::string> to_sign{{"host", std::string(host)}};
    for (const auto f : headers) {
        const std::string name = lower(f.name);
        if (name != "content-type" && !name.starts_with("x-amz-")) continue;
        std::string& value = to_sign[name];
        value += (value.empty() ? "" : ",") + trimmed(f.value);
    }
    std::string names, lines;
    for (const auto& [name, value] : to_sign) {
        names += (names.empty() ? "" : ";") + name;
        lines.append(name).append(":").append(value).append("\n");
    }
    const auto mark = path_and_query.find('?');
    const std::string_view query =
        mark == std::string_view::npos ? std::string_view{} : path_and_query.substr(mark + 1);
    std::string request(method);
    request.append("\n")
        .append(canonical_path(path_and_query.substr(0, mark), c.service == "s3"))
        .append("\n")
        .append(canonical_query(query));
    request.append("\n").append(lines).append("\n").append(names).append("\n").append(payload);

    const std::string scope = std::string(day) + "/" + c.region + "/" + c.service + "/aws4_request";
    const std::string text =
        std::string("AWS4-HMAC-SHA256\n") + stamp + "\n" + scope + "\n" + to_hex(sha256({request}));
    std::string key = hmac("AWS4" + std::string(c.secret_access_key.reveal()), day);
    for (const std::string_view part :
         {std::string_view(c.region), std::string_view(c.service), std::string_view("aws4_request")}) {
        key = hmac(key, part);
    }
    headers.set("Authorization", "AWS4-HMAC-SHA256 Credential=" + c.access_key_id + "/" + scope +
                                     ", SignedHeaders=" + names + ", Signature=" + to_hex(hmac(key, text)));
}

}  // namespace sluice::routing
