#include "routing/credentials.hpp"

#include "base/base64.hpp"
#include "routing/gcp_service_account.hpp"
#include "routing/oauth2.hpp"
#include "routing/sigv4.hpp"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

namespace sluice::routing {
namespace {

// A bearer token in a file that something else renews (a service account's, a sidecar's). Looked at once a second;
// one small read of a local file, so it is done on the worker.
class file_signer final : public signer {
public:
    file_signer(std::string path, const clock& time) : path_(std::move(path)), time_(time) {}

    awaitable<result<void>> authorize(std::string_view, std::string_view, std::string_view,
                                      const std::vector<std::string_view>&, header_list& headers) override {
        refresh();
        if (token_.empty()) co_return error{error_kind::credential, "The upstream's token file cannot be read."};
        headers.set("Authorization", token_.reveal());
        co_return result<void>{};
    }

private:
    void refresh() {
        const auto now = time_.now();
        if (now < next_look_) return;
        next_look_ = now + std::chrono::seconds(1);
        struct stat seen{};
        // Anything but a small file leaves the last token: a FIFO or a device would block the worker.
        if (::stat(path_.c_str(), &seen) != 0 || !S_ISREG(seen.st_mode) || seen.st_size > 65536) return;
        if (!token_.empty() && seen.st_mtim.tv_sec == seen_.tv_sec && seen.st_mtim.tv_nsec == seen_.tv_nsec) return;
        std::ifstream file(path_);
        std::string text;
        std::getline(file, text);
        while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.pop_back();
        if (text.empty() || text.size() > 16384 || !valid_header_value(text)) return;
        token_ = secret("Bearer " + text);
        seen_ = seen.st_mtim;
    }

    const std::string path_;
    const clock& time_;
    secret token_;
    timespec seen_{};
    clock::time_point next_look_{};
};

}  // namespace

credential_set make_credential(const credential_config& c, const header_list& common, std::string_view owner,
                               services& s) {
    credential_set set{common, nullptr};
    if (!c.api_key.empty()) {
        if (c.header.empty()) {
            set.headers.set("Authorization", "Bearer " + std::string(c.api_key.reveal()));
        } else {
            set.headers.set(c.header, c.api_key.reveal());
        }
    } else if (!c.user.empty()) {
        set.headers.set("Authorization", "Basic " + base64_encode(c.user + ":" + std::string(c.password.reveal())));
    } else if (!c.bearer_file.empty()) {
        set.signer = std::make_unique<file_signer>(c.bearer_file, s.time());
    } else if (c.oauth2) {
        set.signer = std::make_unique<issued_token_signer>(client_credentials(*c.oauth2), owner, s);
    } else if (c.gcp_service_account) {
        set.signer =
            std::make_unique<issued_token_signer>(service_account_token(*c.gcp_service_account, s.time()), owner, s);
    } else if (c.aws_sigv4) {
        set.signer = std::make_unique<sigv4_signer>(*c.aws_sigv4, s.time());
    }
    return set;
}

}  // namespace sluice::routing
