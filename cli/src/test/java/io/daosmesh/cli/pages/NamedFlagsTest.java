package io.daosmesh.cli.pages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Commands and flags that texts tell a user to type are there: in help, errors, remedies (all literals of the sources) and docs. */
class NamedFlagsTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\\\n]|\\\\.)*)\"");
    private static final Pattern CODE = Pattern.compile("(?s)```\\w*\\n(.*?)```|`([^`]+)`");
    private static final Pattern LONG_FLAG = Pattern.compile("(?<![\\w-])--[a-z][a-z0-9_-]*");
    private static final Pattern FLAG = Pattern.compile("(?<![\\w-])(--[a-z][a-z0-9_-]*|-[a-zA-Z](?![\\w-]))");
    private static final Pattern COMMAND = Pattern.compile(
            "(?<![\\w/.-])(dmg|daos|daos_agent|daos_server|daos-certs)((?: +[a-z][a-z-]*)+)([^;,()\\n]*)");

    /** Flags of other programs that we call. */
    private static final Set<String> OF_OTHERS = Set.of("--config", "--ready"); // of prometheus, systemd-notify

    private final Map<String, CommandLine> tools = new TreeMap<>();

    NamedFlagsTest() {
        for (Tool each : Tool.all()) tools.put(each.name(), each.tree());
    }

    @Test
    void shouldHaveEveryFlagThatATextOfTheSourcesNames() throws IOException {
        Set<String> there = new HashSet<>(OF_OTHERS);
        tools.values().forEach(t -> collect(t, there));
        List<String> wrong = new ArrayList<>();
        int seen = 0;

        for (Path file : sources()) {
            for (String text : literals(file)) {
                Matcher flags = LONG_FLAG.matcher(text);
                while (flags.find()) {
                    seen++;
                    if (!there.contains(flags.group())) wrong.add(file.getFileName() + ": " + flags.group());
                }
            }
        }

        assertEquals(List.of(), wrong);
        assertTrue(seen > 100, "looked at " + seen);
    }

    @Test
    void shouldHaveEveryCommandThatATextOfTheSourcesNames() throws IOException {
        List<String> wrong = new ArrayList<>();
        int seen = 0;

        for (Path file : sources()) {
            for (String text : literals(file)) seen += check(file, text, wrong);
        }

        assertEquals(List.of(), wrong);
        assertTrue(seen > 20, "looked at " + seen);
    }

    @Test
    void shouldHaveEveryCommandOfTheDocumentation() throws IOException {
        List<String> wrong = new ArrayList<>();
        List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            docs.filter(f -> f.toString().endsWith(".md")).forEach(pages::add);
        }
        int seen = 0;

        for (Path page : pages) {
            Matcher code = CODE.matcher(Files.readString(page));
            while (code.find()) {
                String block = code.group(1) == null ? code.group(2) : code.group(1);
                seen += check(page, block.replaceAll("(?m)(^| )#.*$", "").replace("\\\n", " "), wrong);
            }
        }

        assertEquals(List.of(), wrong);
        assertTrue(seen > 20, "looked at " + seen);
    }

    @Test
    void shouldTellWhatIsNotThere() {
        List<String> wrong = new ArrayList<>();

        check(Path.of("x"), "use dmg pool query --no-such-flag", wrong);
        check(Path.of("x"), "use dmg pool no-such", wrong);
        check(Path.of("x"), "use daos container destroy -Z", wrong);
        check(Path.of("x"), "use dmg pool query -e, and daos_agent runs", wrong);

        assertEquals(
                List.of(
                        "x: dmg pool query --no-such-flag",
                        "x: dmg pool: no command no-such",
                        "x: daos container destroy -Z"),
                wrong);
    }

    /** How many commands the text names. */
    private int check(Path file, String text, List<String> wrong) {
        Matcher named = COMMAND.matcher(text);
        int seen = 0;
        while (named.find()) {
            String tool = named.group(1);
            String[] words = named.group(2).strip().split(" +");
            CommandLine at = tools.get(tool);
            // "daos_agent runs" names no command; every word after dmg is one
            if (!tool.equals("dmg") && !at.getSubcommands().containsKey(words[0])) continue;
            seen++;
            checkOne(file, at, words, named.group(2) + named.group(3), wrong);
        }
        return seen;
    }

    private static void checkOne(Path file, CommandLine tool, String[] words, String rest, List<String> wrong) {
        CommandLine at = tool;
        for (String word : words) {
            if (at.getSubcommands().isEmpty()) break;
            CommandLine next = at.getSubcommands().get(word);
            if (next == null) {
                wrong.add(file.getFileName() + ": " + at.getCommandSpec().qualifiedName() + ": no command " + word);
                return;
            }
            at = next;
        }
        Set<String> known = new HashSet<>(at.getCommandSpec().optionsMap().keySet());
        CommandLine deeper = at;
        // flags of a group may stand before its command: dmg telemetry -l HOST metrics list
        for (String word : rest.strip().split("\\s+")) {
            deeper = deeper.getSubcommands().getOrDefault(word, deeper);
            known.addAll(deeper.getCommandSpec().optionsMap().keySet());
        }
        Matcher flags = FLAG.matcher(rest);
        while (flags.find()) {
            if (!known.contains(flags.group()))
                wrong.add(file.getFileName() + ": " + at.getCommandSpec().qualifiedName() + " " + flags.group());
        }
    }

    private static void collect(CommandLine tool, Set<String> there) {
        there.addAll(tool.getCommandSpec().optionsMap().keySet());
        tool.getSubcommands().values().forEach(s -> collect(s, there));
    }

    /** Of bundles, drivers and tools; the local mesh has a help of its own, and the lookalikes of other programs are theirs. */
    private static List<Path> sources() throws IOException {
        List<Path> found = new ArrayList<>();
        for (String folder : List.of("bundles", "drivers", "cli")) {
            try (Stream<Path> all = Files.walk(ROOT.resolve(folder))) {
                all.filter(f -> f.toString().endsWith(".java")
                                && f.toString().contains("/src/main/")
                                && !f.toString().contains("/cli/mesh/"))
                        .forEach(found::add);
            }
        }
        return found;
    }

    /** Texts that are joined over several lines are one. */
    private static List<String> literals(Path file) throws IOException {
        String source = Files.readString(file).replaceAll("\"\\s*\\n?\\s*\\+\\s*\"", "");
        List<String> texts = new ArrayList<>();
        Matcher literal = LITERAL.matcher(source);
        while (literal.find()) texts.add(literal.group(1).replace("\\n", "\n"));
        return texts;
    }
}
