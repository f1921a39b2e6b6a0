package io.daosmesh.cli.pages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class PagesTest {
    private static final List<Tool> ALL = Tool.all();

    @TempDir
    Path dir;

    @Test
    void shouldKnowEveryProgramOfTheAssembly() throws IOException {
        Path bin = Path.of("../karaf-assembly/src/main/karaf/assembly/bin");
        List<String> programs;
        try (Stream<Path> files = Files.list(bin)) {
            programs = files.map(f -> f.getFileName().toString())
                    .filter(n -> !n.equals("setenv"))
                    .sorted()
                    .toList();
        }

        assertEquals(programs, ALL.stream().map(Tool::name).sorted().toList());
    }

    @Test
    void shouldDescribeEveryCommandAndEveryOption() throws IOException {
        Pages.write(dir);

        for (Tool tool : ALL) {
            String page = page(tool).replace("\\-", "-");
            for (CommandLine each : commands(tool.tree())) {
                String name = each.getCommandSpec().qualifiedName();
                assertTrue(page.contains(".SS \"" + name + "\"\n"), name);
                each.getCommandSpec().options().stream()
                        .filter(o -> !o.hidden())
                        .forEach(o -> assertTrue(page.contains("\\fB" + o.longestName() + "\\fR"), name + " " + o));
            }
        }
    }

    @Test
    void shouldLeaveOutWhatIsNotBuilt() {
        for (Tool tool : ALL) {
            assertFalse(ManPage.of(tool, ALL, "1").contains("Not built"), tool.name());
            assertFalse(Completion.bash(tool).contains("Not built"), tool.name());
        }
    }

    @Test
    void shouldBeGoodRoff() throws Exception {
        assumeTrue(isThere("groff"), "needs groff");

        for (Tool tool : ALL) {
            Path page = Files.writeString(dir.resolve(tool.name()), ManPage.of(tool, ALL, "1"));
            assertEquals("", said("groff", "-man", "-ww", "-z", page.toString()));
        }
    }

    @Test
    void shouldCompleteInBash() throws Exception {
        assumeTrue(isThere("bash"), "needs bash");
        Pages.write(dir);
        String script = dir.resolve("share/bash-completion/completions/dmg").toString();
        // what readline sets before it calls the function
        String ask =
                "source \"$1\"; compopt() { :; }; COMP_WORDS=(dmg pool que); COMP_CWORD=2; COMP_LINE='dmg pool que';"
                        + " COMP_POINT=12;_complete_dmg; echo \"${COMPREPLY[@]}\";COMP_WORDS=(dmg pool create --si);"
                        + " COMP_CWORD=3; _complete_dmg; echo \"${COMPREPLY[@]}\"";

        assertEquals(
                "query\n--size\n",
                said("bash", "--norc", "-c", ask, "bash", script)
                        .replace("query-targets", "")
                        .replaceAll(" +", " ")
                        .replace(" \n", "\n"));
    }

    @Test
    void shouldNameTheFunctionOfTheScriptInZsh() {
        for (Tool tool : ALL) {
            String function = Completion.zsh(tool, "/x").replaceAll("(?s).*-F (\\S+)\\s*", "$1");
            assertTrue(Completion.bash(tool).contains("function " + function + "() {"), function);
        }
    }

    @Test
    void shouldCompleteInZsh() throws Exception {
        assumeTrue(isThere("zsh"), "needs zsh");
        Pages.write(dir);
        Path zsh = dir.resolve("share/zsh/vendor-completions");
        Path function = zsh.resolve("_dmg");
        Files.writeString(
                function,
                Files.readString(function)
                        .replace(
                                "/usr/share/bash-completion",
                                dir.resolve("share/bash-completion").toString()));
        String ask = "fpath=(\"$1\" $fpath); autoload -U compinit && compinit -u -d \"$1/dump\"; echo $_comps[dmg];"
                + "autoload -U +X bashcompinit && bashcompinit; source \"$2\"; echo $_comps[dmg]";

        String said =
                said("zsh", "-f", "-c", ask, "zsh", zsh.toString(), dir + "/share/bash-completion/completions/dmg");

        assertTrue(said.startsWith("_dmg\n"), said);
        assertTrue(said.contains("_complete_dmg"), said);
    }

    /** Commands that do something. */
    private static List<CommandLine> commands(CommandLine group) {
        return group.getSubcommands().values().stream()
                .distinct()
                .filter(c -> !c.getCommandSpec().usageMessage().hidden())
                .flatMap(c -> c.getSubcommands().isEmpty() ? Stream.of(c) : commands(c).stream())
                .toList();
    }

    private String page(Tool tool) throws IOException {
        Path file = dir.resolve("share/man/man" + tool.section() + "/" + tool.name() + "." + tool.section() + ".gz");
        try (var in = new GZIPInputStream(Files.newInputStream(file))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static boolean isThere(String program) {
        return Stream.of(System.getenv("PATH").split(":")).anyMatch(d -> Files.isExecutable(Path.of(d, program)));
    }

    private static String said(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(30, TimeUnit.SECONDS)) process.destroyForcibly();
        return said;
    }
}
