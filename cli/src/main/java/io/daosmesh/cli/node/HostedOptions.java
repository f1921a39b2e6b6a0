package io.daosmesh.cli.node;

import io.daosmesh.cli.dmg.Dmg;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionStrategy;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Flags that the commands of dmg do not have within a node: those that choose its log, its certificates or files of its machine.
 * Who is at the console is not who owns these.
 */
final class HostedOptions {
    private static final Set<String> EVERYWHERE =
            Set.of("--allow-proxy", "--insecure", "--debug", "--log-file", "--json-logging", "--config-path");
    /** Values of a command that is a method are told apart by their order: these stay, and are refused. */
    private static final Map<String, Set<String>> OF_COMMANDS = Map.of(
            "pool create", Set.of("--acl-file"),
            "pool get-acl", Set.of("--outfile", "--force"),
            "pool update-acl", Set.of("--acl-file"));

    private HostedOptions() {}

    /** Of the command and all below it; to be called when nothing else is going to change how it is executed. */
    static void remove(CommandLine line) {
        removeFrom(line);
        IExecutionStrategy execution = line.getExecutionStrategy();
        line.setHelpFactory((spec, colors) -> new CommandLine.Help(shown(spec), colors));
        line.setExecutionStrategy(parsed -> {
            for (ParseResult at = parsed; at != null; at = at.hasSubcommand() ? at.subcommand() : null) refuse(at);
            return execution.execute(parsed);
        });
    }

    private static void removeFrom(CommandLine line) {
        CommandSpec spec = line.getCommandSpec();
        for (OptionSpec option : List.copyOf(spec.options())) {
            if (EVERYWHERE.contains(option.longestName())) spec.remove(option);
        }
        Set.copyOf(line.getSubcommands().values()).forEach(HostedOptions::removeFrom);
    }

    /** The same command without what is refused, to be read and not to be run. */
    private static CommandSpec shown(CommandSpec spec) {
        List<String> path = Stream.of(spec.qualifiedName().split(" ")).skip(1).toList();
        CommandLine line = Dmg.tree(path);
        removeFrom(line);
        for (String step : path)
            line = Objects.requireNonNull(line.getSubcommands().get(step));
        CommandSpec shown = line.getCommandSpec();
        for (OptionSpec option : List.copyOf(shown.options()))
            if (refused(shown).contains(option.longestName())) shown.remove(option);
        return shown;
    }

    private static void refuse(ParseResult at) {
        Set<String> refused = refused(at.commandSpec());
        for (OptionSpec option : at.matchedOptions()) {
            if (!refused.contains(option.longestName())) continue;
            throw new ParameterException(
                    at.commandSpec().commandLine(),
                    "the flag " + option.longestName() + " names a file of this machine: use dmg");
        }
    }

    private static Set<String> refused(CommandSpec spec) {
        return OF_COMMANDS.getOrDefault(spec.qualifiedName().replaceFirst("^dmg ?", ""), Set.of());
    }

    /** Of a command that is not a group. */
    static List<String> names(CommandSpec spec) {
        List<String> names = new ArrayList<>();
        for (OptionSpec option : spec.options()) if (!option.hidden()) names.add(option.longestName());
        names.removeAll(refused(spec));
        return names;
    }
}
