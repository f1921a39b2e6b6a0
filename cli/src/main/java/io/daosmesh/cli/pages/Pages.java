package io.daosmesh.cli.pages;

import io.daosmesh.cli.ToolVersion;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/**
 * Step of the build of packages: writes man pages and completion of all tools below a folder, laid out as below {@code /usr}.
 * One argument, the folder. One thread.
 */
public final class Pages {
    private static final String BASH = "share/bash-completion/completions";

    private Pages() {}

    public static void main(String[] args) throws IOException {
        write(Path.of(args[0]));
    }

    static void write(Path folder) throws IOException {
        List<Tool> all = Tool.all();
        for (Tool tool : all) {
            Path man = Files.createDirectories(folder.resolve("share/man/man" + tool.section()));
            Path page = man.resolve(tool.name() + "." + tool.section() + ".gz");
            try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(page))) {
                out.write(ManPage.of(tool, all, ToolVersion.VERSION).getBytes(StandardCharsets.UTF_8));
            }
            Path bash = Files.createDirectories(folder.resolve(BASH));
            Files.writeString(bash.resolve(tool.name()), Completion.bash(tool));
            Path zsh = Files.createDirectories(folder.resolve("share/zsh/vendor-completions"));
            Files.writeString(zsh.resolve("_" + tool.name()), Completion.zsh(tool, "/usr/" + BASH));
        }
    }
}
