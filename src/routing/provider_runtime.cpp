#include "routing/provider_runtime.hpp"

#include <openssl/crypto.h>

#include <functional>

namespace sluice::routing {
namespace {

// Changes with the addresses and the credentials: what was learned of a key must not outlive it. Their hash only, since
// keys of shared objects are not secrets.
std::string state_key(const provider& p) {
    std::string key = "upstream " + p.config.name;
    for (const upstream_endpoint& e : p.endpoints) key += ' ' + e.pool_key;
    std::string all;
    for (const credential_config& c : p.config.credentials) {
        all.append(c.api_key.reveal()).append("\n").append(c.bearer_file).append("\n").append(c.user).append("\n");
        all.append(c.password.reveal()).append("\n");
        if (c.oauth2) {
            all.append(c.oauth2->token_url + " " + c.oauth2->client_id + " " + c.oauth2->federated_token_file);
            all.append(c.oauth2->client_secret.reveal());
        }
        if (c.gcp_service_account)
            all.append(c.gcp_service_account->file + " ").append(c.gcp_service_account->key.reveal());
        if (c.aws_sigv4) all.append(c.aws_sigv4->access_key_id).append(c.aws_sigv4->secret_access_key.reveal());
    }
    key += ' ' + std::to_string(p.config.credentials.size()) + ' ' + std::to_string(std::hash<std::string>{}(all));
    OPENSSL_cleanse(all.data(), all.size());
    return key;
}

counter& attempts(metrics& m, const provider& p, std::string_view outcome) {
    return m.get_counter("sluice_upstream_attempts_total", "Calls to upstreams by outcome.",
                         {{"provider", p.config.name}, {"outcome", outcome}});
}

}  // namespace

provider_runtime::provider_runtime(const provider& p, services& s)
    : ok(attempts(s.metrics(), p, "ok")),
      failed(attempts(s.metrics(), p, "failed")),
      ejections(s.metrics().get_counter("sluice_endpoint_ejections_total", "Addresses left out after failures.",
                                        {{"provider", p.config.name}})),
      cooldowns(s.metrics().get_counter("sluice_credential_cooldowns_total",
                                        "Credentials left out because the upstream limited them.",
                                        {{"provider", p.config.name}})),
      translated(s.metrics().get_counter("sluice_translated_requests_total",
                                         "Attempts whose request was translated into the provider's dialect.",
                                         {{"provider", p.config.name}})),
      repairs(s.metrics().get_counter("sluice_stream_repairs_total",
                                      "Events of streams that were missing or came twice and were made good.",
                                      {{"provider", p.config.name}})),
      provider_(p) {
    const std::size_t credentials = std::max<std::size_t>(1, p.config.credentials.size());
    state_ = s.shared<provider_state>(
        state_key(p), [&] { return std::make_shared<provider_state>(p.endpoints.size(), credentials); });
    if (p.pool) pool_ = std::make_unique<pool_client>(p, s);
    header_list common;
    for (const auto& [name, value] : p.config.headers) common.add(name, value);
    // Model servers that can tell of their load in each answer.
    if (p.pool) common.add("endpoint-load-metrics-format", "TEXT");
    if (p.config.credentials.empty()) {
        sets_.push_back({std::move(common), nullptr});
        return;
    }
    for (const credential_config& c : p.config.credentials)
        sets_.push_back(make_credential(c, common, p.config.name, s));
}

std::chrono::milliseconds provider_runtime::limited_for(steady_time now) const {
    std::int64_t longest = ticks(now);
    for (const credential_state& c : state_->credentials) longest = std::max(longest, c.until());
    return std::chrono::ceil<std::chrono::milliseconds>(steady_time::duration(longest - ticks(now)));
}

}  // namespace sluice::routing
