#include "mcp/rest/request.hpp"

#include <sluice/json.hpp>
#include <sluice/message.hpp>

#include "base/base64.hpp"
#include "http/path.hpp"
#include "http/url.hpp"

#include <algorithm>

namespace sluice::mcp::rest {

namespace {

using kind = value::kind;

class builder {
public:
    builder(const definition& d, const tool& t, const value& args, const template_context& context)
        : d_(d), t_(t), r_(t.request), args_(args), context_(context) {}

    result<tool_request> run(const secret& client_credential) {
        auto data = value::object({{"config", d_.config}, {"args", args_}});
        if (!data) return data.error();
        if (auto done = start(*data); !done) return done.error();
        for (const argument& a : t_.args) {
            if (auto done = place(a, args_.get(a.name)); !done) return done.error();
        }
        if (auto done = write_body(*data); !done) return done.error();
        if (!cookies_.empty()) set_header("Cookie", cookies_);
        if (!has_header("Accept")) set_header("Accept", "*/*");
        if (auto done = authenticate(client_credential); !done) return done.error();
        if (auto done = check(); !done) return done.error();
        return std::move(out_);
    }

private:
    std::string text(const value& v) const { return v.text(context_.limits.output_bytes_max); }

    bool has_header(std::string_view name) const {
        return std::any_of(out_.headers.begin(), out_.headers.end(),
                           [&](const auto& h) { return iequals(h.first, name); });
    }
    void set_header(std::string name, std::string v) {
        std::erase_if(out_.headers, [&](const auto& h) { return iequals(h.first, name); });
        out_.headers.emplace_back(std::move(name), std::move(v));
    }
    void add_cookie(std::string_view name, std::string_view v) {
        cookies_.append(cookies_.empty() ? "" : "; ").append(name).append("=");
        http::percent_encode(cookies_, v);
    }

    result<void> start(const value& data) {
        out_.method = r_.method;
        auto url = r_.url.execute(data, context_, placing::url);
        if (!url) return url.error();
        out_.url = std::move(*url);
        for (const header_template& h : r_.headers) {
            auto v = h.value.execute(data, context_, placing::header);
            if (!v) return v.error();
            while (!v->empty() && (v->back() == '\n' || v->back() == ' ')) v->pop_back();  // of a YAML block
            if (v->empty()) continue;
            if (iequals(h.name, "cookie")) {
                cookies_ = std::move(*v);
            } else {
                out_.headers.emplace_back(h.name, std::move(*v));
            }
        }
        return {};
    }

    // --- arguments at their places -----------------------------------------------------------------------
    result<void> place(const argument& a, const value& v) {
        if (v.is(kind::missing)) return {};
        switch (a.where) {
            case position::path:  // the URL's template has it
                return text(v).empty() ? refuse(a, "must not be empty") : result<void>{};
            case position::query:
                each(v, [&](std::string_view s) { http::append_query(out_.url, a.name, s); });
                return {};
            case position::header: {
                const std::string s = text(v);
                if (!valid_header_value(s)) return refuse(a, "cannot stand in a header");
                if (!s.empty()) set_header(a.name, s);
                return {};
            }
            case position::cookie:
                add_cookie(a.name, text(v));
                return {};
            case position::body:
                body_.emplace_back(a.name, v);
                return {};
            case position::none:
                break;
        }
        if (r_.spare == args_to::url_param) {
            each(v, [&](std::string_view s) { http::append_query(out_.url, a.name, s); });
        } else if (r_.spare != args_to::templates) {
            body_.emplace_back(a.name, v);
        }
        return {};
    }
    static result<void> refuse(const argument& a, std::string_view why) {
        return error{error_kind::bad_request, "argument \"" + a.name + "\": " + std::string{why}, a.name};
    }
    template <class Take>
    void each(const value& v, Take take) const {
        if (!v.is(kind::array)) return take(text(v));
        for (const value& item : v.items()) take(text(item));
    }

    // --- body ----------------------------------------------------------------------------------------------
    result<void> write_body(const value& data) {
        if (r_.has_body) return write_template(data);
        const bool form = r_.spare == args_to::form_body || (r_.spare != args_to::json_body && r_.form_type);
        const bool wanted = r_.spare == args_to::form_body || r_.spare == args_to::json_body;
        if (body_.empty() && !wanted) return {};
        if (form) {
            for (const auto& [name, v] : body_) each(v, [&](std::string_view s) { append_form(name, s); });
            if (!has_header("Content-Type")) set_header("Content-Type", "application/x-www-form-urlencoded");
            return {};
        }
        auto object = value::object(std::move(body_));
        if (!object) return object.error();
        out_.body = object->json(context_.limits.output_bytes_max);
        if (!has_header("Content-Type")) set_header("Content-Type", "application/json; charset=utf-8");
        return {};
    }
    void append_form(std::string_view name, std::string_view v) {
        if (!out_.body.empty()) out_.body += '&';
        http::percent_encode(out_.body, name);
        out_.body += '=';
        http::percent_encode(out_.body, v);
    }
    result<void> write_template(const value& data) {
        auto made = r_.body.execute(data, context_, r_.body_is);
        if (!made) return made.error();
        out_.body = std::move(*made);
        if (r_.body_is != placing::json) return {};
        if (!validate_json(out_.body)) {
            return error{error_kind::bad_request, "with these arguments the tool's body is not JSON"};
        }
        if (!has_header("Content-Type")) set_header("Content-Type", "application/json; charset=utf-8");
        return {};
    }

    // --- credentials ---------------------------------------------------------------------------------------
    result<void> authenticate(const secret& client_credential) {
        const security_use& use = r_.security.id.empty() ? d_.upstream_security : r_.security;
        if (use.id.empty()) return {};
        const security_scheme* scheme = d_.scheme(use.id);
        const bool passes = (t_.security.passthrough || use.passthrough) && !client_credential.empty();
        const secret& own = use.credential.empty() ? scheme->credential : use.credential;
        const secret& credential = passes ? client_credential : own;
        if (credential.empty()) {
            return error{error_kind::credential, "there is no credential for the service of this tool"};
        }
        apply(*scheme, std::string{credential.reveal()});
        return {};
    }
    void apply(const security_scheme& scheme, std::string credential) {
        switch (scheme.what) {
            case security_scheme::kind::bearer:
                return set_header("Authorization",
                                  credential.starts_with("Bearer ") ? credential : "Bearer " + credential);
            case security_scheme::kind::basic:
                // "user:password", or what stands behind "Basic ": that has no colon.
                if (credential.starts_with("Basic ")) return set_header("Authorization", std::move(credential));
                if (credential.find(':') != std::string::npos) credential = base64_encode(credential);
                return set_header("Authorization", "Basic " + credential);
            case security_scheme::kind::header:
                return set_header(scheme.name, std::move(credential));
            case security_scheme::kind::query:
                return http::append_query(out_.url, scheme.name, credential);
            case security_scheme::kind::cookie:
                add_cookie(scheme.name, credential);
                return set_header("Cookie", cookies_);
        }
    }

    // --- the whole -----------------------------------------------------------------------------------------
    result<void> check() const {
        const auto url = http::parse_url(out_.url);
        if (!url) return error{error_kind::bad_request, "the tool's URL is not one: " + url.error().message};
        if (url->scheme != "http" && url->scheme != "https") {
            return error{error_kind::internal, "a tool's URL must be http or https"};
        }
        std::string_view path = std::string_view{url->path_and_query}.substr(0, url->path_and_query.find('?'));
        while (!path.empty()) {
            path.remove_prefix(1);  // the slash
            const std::size_t end = std::min(path.find('/'), path.size());
            const auto segment = http::percent_decode(path.substr(0, end));
            if (!segment || *segment == "." || *segment == "..") {
                return error{error_kind::bad_request, "an argument may not leave its place in the path"};
            }
            path.remove_prefix(end);
        }
        for (const auto& [name, v] : out_.headers) {
            if (!valid_header_value(v)) return error{error_kind::bad_request, "a header value cannot be sent", name};
        }
        if (out_.body.size() > context_.limits.output_bytes_max) {
            return error{error_kind::payload_too_large, "the tool's request is too long"};
        }
        return {};
    }

    const definition& d_;
    const tool& t_;
    const request_template& r_;
    const value& args_;
    const template_context& context_;
    tool_request out_;
    std::string cookies_;
    value::members body_;
};

}  // namespace

std::string tool_request::loggable() const {
    const auto parsed = http::parse_url(url);
    return method + ' ' + (parsed ? parsed->scheme + "://" + parsed->authority() : "(no URL)");
}

result<tool_request> make_request(const definition& d, const tool& t, const value& args,
                                  const template_context& context, const secret& client_credential) {
    if (t.answers_itself()) return error{error_kind::internal, "this tool makes no request"};
    return builder{d, t, args, context}.run(client_credential);
}

}  // namespace sluice::mcp::rest
