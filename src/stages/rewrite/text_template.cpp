#include "stages/rewrite/text_template.hpp"

#include "base/ascii.hpp"
#include "http/reserved_header.hpp"

namespace sluice::rewrite {
namespace {

constexpr std::string_view header_place = "header:";
constexpr std::string_view claim_place = "claim:";

bool known(std::string_view place) {
    if (place.starts_with(header_place)) return valid_header_name(place.substr(header_place.size()));
    if (place.starts_with(claim_place)) return place.size() > claim_place.size();
    return place == "key" || place == "tenant" || place == "request_id";
}

bool tells_credential(std::string_view place) {
    return place.starts_with(header_place) && http::credential_header(place.substr(header_place.size()));
}

std::string_view value_of(const std::string& place, const exchange& x, const header_list& headers) {
    if (place == "key") return x.caller.key_id;
    if (place == "tenant") return x.caller.tenant;
    if (place == "request_id") return x.request_id();
    if (place.starts_with(header_place)) {
        return headers.find(std::string_view(place).substr(header_place.size())).value_or(std::string_view{});
    }
    const auto claim = x.caller.claims.find(place.substr(claim_place.size()));
    return claim == x.caller.claims.end() ? std::string_view{} : std::string_view(claim->second);
}

}  // namespace

result<std::vector<template_piece>> cut_template(std::string_view text) {
    std::vector<template_piece> pieces;
    for (;;) {
        const auto open = text.find("{{");
        if (open == std::string_view::npos) break;
        const auto close = text.find("}}", open);
        if (close == std::string_view::npos) return error{error_kind::bad_request, "{{ without its }}"};
        const std::string_view place = ascii::trim(text.substr(open + 2, close - open - 2));
        if (place.empty()) return error{error_kind::bad_request, "{{}} without a name"};
        pieces.push_back({std::string(text.substr(0, open)), std::string(place)});
        text.remove_prefix(close + 2);
    }
    pieces.push_back({std::string(text), {}});
    return pieces;
}

result<text_template> text_template::parse(std::string_view text) {
    auto pieces = cut_template(text);
    if (!pieces) return pieces.error();
    for (const template_piece& p : *pieces) {
        if (tells_credential(p.place)) {
            return error{
                error_kind::bad_request,
                "{{" + p.place + "}} would tell the client's credential: name the caller with {{key}} or {{tenant}}"};
        }
        if (p.place.empty() || known(p.place)) continue;
        return error{error_kind::bad_request,
                     "there is no {{" + p.place + "}}: key, tenant, request_id, header:NAME and claim:NAME are known"};
    }
    text_template t;
    t.pieces_ = std::move(*pieces);
    return t;
}

std::string text_template::render(const exchange& x, const header_list& headers) const {
    std::string out;
    for (const template_piece& p : pieces_) {
        out += p.before;
        if (!p.place.empty()) out += value_of(p.place, x, headers);
    }
    return out;
}

}  // namespace sluice::rewrite
