// A request on its way to a provider that speaks another dialect than its client, and the answer on its way back.
//
// Belongs to one exchange: the request is read once, and written anew for each attempt.
#pragma once

#include "dialects/dialect.hpp"
#include "routing/dialects.hpp"
#include "routing/model_table.hpp"
#include "stages/route/translating_sink.hpp"

#include <sluice/exchange.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::route {

class translation {
public:
    // All outlive the translation. `drop`: what a target cannot take is left out instead of refused.
    translation(exchange& x, const routing::client_api& api, bool drop) : x_(x), api_(api), drop_(drop) {}

    // Writes the request for a target into x.outgoing_body, and points the sink at the provider's dialect. `model` is
    // the model's name there. Error: bad_request, in the client's terms.
    result<std::string> aim(const routing::target& t, std::string_view model);

    const chat::client_dialect& client() const { return *api_.dialect; }
    // What the client asks, read once. Lives as long as this.
    result<const chat::conversation*> conversation();

    // For the attempt that was aimed at.
    std::unique_ptr<translating_sink> make_sink(reply_sink& next, services& s);
    // An upstream's error that was held back, as the client's dialect says it.
    void translate(error& e) const;

private:
    result<const json_object*> request();
    result<void> read_embedding(const json_object& body);
    result<std::string> write(const chat::target_facts& facts, chat::losses& lost, std::string& body);

    exchange& x_;
    const routing::client_api& api_;
    const bool drop_;
    std::string model_name_;  // what the client asked for
    std::string edited_;      // the client's request with the edits of earlier stages, where there are any
    std::optional<json_object> edited_json_;
    std::optional<chat::conversation> conversation_;
    std::optional<chat::embedding_request> embedding_;
    std::string dropped_;  // of the last attempt: names with commas
    std::shared_ptr<const chat::upstream_dialect> upstream_;
};

}  // namespace sluice::route
