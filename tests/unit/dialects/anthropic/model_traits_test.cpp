#include "dialects/anthropic/model_traits.hpp"

#include <catch2/catch.hpp>

#include <string_view>

using namespace sluice::chat::anthropic;
using off_switch = model_traits::off_switch;

TEST_CASE("a model's version is read from any cloud's spelling of its name", "[dialects][anthropic]") {
    for (const std::string_view name :
         {"claude-opus-4-6", "claude-opus-4.6", "us.anthropic.claude-opus-4-6-v1", "anthropic/claude-4.6-opus",
          "Claude-Opus-4-6-20260205", "claude-sonnet-4-6", "claude-sonnet-4-6@20260217"}) {
        INFO(name);
        const model_traits t = traits_of_model(name);
        CHECK(t.known);
        CHECK(t.adaptive);
        CHECK(t.budgets);
        CHECK(t.sampling);
        CHECK_FALSE(t.effort_xhigh);
        CHECK_FALSE(t.thinks_by_default);
    }
    for (const std::string_view name :
         {"claude-3-7-sonnet-20250219", "claude-sonnet-4-20250514", "claude-sonnet-4@20250514", "claude-opus-4-1",
          "us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-sonnet-4-5"}) {
        INFO(name);
        const model_traits t = traits_of_model(name);
        CHECK(t.known);
        CHECK_FALSE(t.adaptive);
        CHECK(t.budgets);
        CHECK(t.sampling);
        CHECK_FALSE(t.effort);
    }
}

TEST_CASE("from Opus 4.7 on there are no budgets and no sampling options", "[dialects][anthropic]") {
    for (const std::string_view name : {"claude-opus-4-7", "claude-opus-4-8", "claude-opus-5", "claude-sonnet-5",
                                        "claude-haiku-5-5", "claude-fable-5", "claude-mythos-preview"}) {
        INFO(name);
        const model_traits t = traits_of_model(name);
        CHECK(t.adaptive);
        CHECK_FALSE(t.budgets);
        CHECK_FALSE(t.sampling);
        CHECK(t.effort_xhigh);
    }
    CHECK(traits_of_model("claude-opus-4-5").effort);
    CHECK_FALSE(traits_of_model("claude-opus-4-5").adaptive);
}

TEST_CASE("how thinking is turned off, and whether a call can be forced, depends on the model",
          "[dialects][anthropic]") {
    CHECK(traits_of_model("claude-opus-5").off == off_switch::disabled);
    CHECK(traits_of_model("claude-opus-5-5").off == off_switch::none);
    CHECK(traits_of_model("claude-sonnet-5-5").off == off_switch::between_tools);
    CHECK(traits_of_model("claude-haiku-5-5").off == off_switch::disabled);
    CHECK(traits_of_model("claude-fable-5-1").off == off_switch::none);
    CHECK(traits_of_model("claude-opus-5").forced_tools);
    CHECK_FALSE(traits_of_model("claude-opus-5-5").forced_tools);
    CHECK_FALSE(traits_of_model("claude-sonnet-5-5").forced_tools);
    CHECK_FALSE(traits_of_model("claude-fable-5-1").forced_tools);
    CHECK_FALSE(traits_of_model("claude-fable-5-2").forced_tools);
    CHECK(traits_of_model("claude-opus-5").thinks_by_default);
}

TEST_CASE("a name that tells no version takes what the first models took", "[dialects][anthropic]") {
    for (const std::string_view name : {"", "claude", "glm-5", "kimi-k2-thinking", "claude-opus", "opus-4-7"}) {
        INFO(name);
        CHECK(traits_of_model(name) == model_traits{});
    }
}
