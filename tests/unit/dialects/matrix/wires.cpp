#include "unit/dialects/matrix/wires.hpp"

#include "dialects/anthropic/anthropic.hpp"
#include "dialects/bedrock/bedrock.hpp"
#include "dialects/cohere/cohere.hpp"
#include "dialects/gemini/gemini.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/responses/responses.hpp"

#include <catch2/catch.hpp>

namespace sluice::chat::test {
namespace {

const openai::chat_upstream chat_upstream;

}  // namespace

const std::vector<both_sides>& client_dialects() {
    static const std::vector<both_sides> all{
        {&openai::chat_client(), &chat_upstream},
        {&responses::responses_client(), &responses::responses_upstream()},
        {&anthropic::messages_client(), &anthropic::messages_upstream()},
        {&gemini::gemini_client(), &gemini::gemini_upstream()},
    };
    return all;
}

const std::vector<const upstream_dialect*>& upstream_dialects() {
    static const std::vector<const upstream_dialect*> all{
        &chat_upstream,
        &responses::responses_upstream(),
        &anthropic::messages_upstream(),
        &anthropic::bedrock_invoke_upstream(),
        &anthropic::vertex_anthropic_upstream(),
        &gemini::gemini_upstream(),
        &gemini::vertex_upstream(),
        &bedrock::converse(),
        &cohere::chat(),
    };
    return all;
}

const client_dialect& client_of(std::string_view name) {
    for (const both_sides& d : client_dialects()) {
        if (d.client->name() == name) return *d.client;
    }
    FAIL("no client's dialect " << name);
    return *client_dialects().front().client;
}

const upstream_dialect& upstream_of(std::string_view name) {
    for (const upstream_dialect* d : upstream_dialects()) {
        if (d->name() == name) return *d;
    }
    FAIL("no upstream's dialect " << name);
    return *upstream_dialects().front();
}

}  // namespace sluice::chat::test
