#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

/// A new folder that goes with its test.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        if (mkdtemp(path_.data()) == nullptr)
            throw std::runtime_error("no temporary folder");
        path_ = std::filesystem::canonical(path_);
    }
    ~TemporaryFolder() {
        std::error_code failure;
        std::filesystem::remove_all(path_, failure);
    }

    TemporaryFolder(TemporaryFolder const&) = delete;
    TemporaryFolder& operator=(TemporaryFolder const&) = delete;

    /// The folder's path, without links.
    std::string const& path() const { return path_; }

    /// The path of something in the folder.
    std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

  private:
    std::string path_ = std::filesystem::temp_directory_path() / "agentloop-XXXXXX";
};

inline void write_text(std::string const& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

inline std::string text_of(std::string const& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}
