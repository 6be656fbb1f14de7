#pragma once

#include <dirent.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace agentloop {

/// The names in an open folder, one by one and in no order.
class Listing {
  public:
    /// Throws `std::system_error`.
    explicit Listing(int folder);

    /// The next name, or none at the end; throws `std::system_error`.
    std::optional<std::string> next();

  private:
    std::unique_ptr<DIR, int (*)(DIR*)> folder_;
};

/// The names in an open folder, in no order; throws `std::system_error`.
std::vector<std::string> names_in(int folder);

/// Whether `name` in an open folder is a folder, and no link to one; throws `std::system_error`.
bool is_folder(int parent, std::string const& name);

/// A name that nothing else has: 16 random hexadecimal digits.
std::string random_name();

}  // namespace agentloop
