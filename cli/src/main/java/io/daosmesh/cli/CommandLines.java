package io.daosmesh.cli;

import java.io.PrintStream;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * What holds for every command of every tool: words are taken as they were typed, and a word that selects nothing is a
 * mistake. An unset variable of a shell must not stop a system or name all ranks.
 */
public final class CommandLines {
    /** What Java has put in the place of bytes that are no UTF-8 before a program sees its words. */
    public static final char REPLACED = '\ufffd';

    private CommandLines() {}

    /** Call it when all commands have been added. */
    public static CommandLine strict(CommandLine line) {
        return line.setExpandAtFiles(false).setExecutionStrategy(CommandLines::execute);
    }

    /** Exit status when all has been said: what could not be written (the disk is full, the reader has gone) is a failure. */
    public static int flushed(PrintStream out, PrintStream err, String tool, int status) {
        if (!out.checkError()) return status;
        if (status == 0) err.println("ERROR: " + tool + ": the output could not be written");
        err.flush();
        return status == 0 ? 1 : status;
    }

    private static int execute(ParseResult parsed) {
        for (ParseResult at = parsed; at != null; at = at.hasSubcommand() ? at.subcommand() : null) refuseEmpty(at);
        return new CommandLine.RunLast().execute(parsed);
    }

    private static void refuseEmpty(ParseResult at) {
        for (ArgSpec arg : at.matchedArgs()) {
            for (String word : given(arg)) {
                if (isEmpty(arg, word)) throw invalid(at, arg, word, "it names nothing");
                if (word.indexOf(REPLACED) >= 0) throw invalid(at, arg, word, "it is not UTF-8");
            }
        }
    }

    private static RuntimeException invalid(ParseResult at, ArgSpec arg, String word, String why) {
        return new CommandLine.ParameterException(
                at.commandSpec().commandLine(), "invalid value \"" + word + "\" for " + name(arg) + ": " + why);
    }

    private static List<String> given(ArgSpec arg) {
        return arg.arity().max() == 0 ? List.of() : arg.originalStringValues();
    }

    /** A list of nothing names nothing. What is no option may be any text but the empty one: a key, say. */
    private static boolean isEmpty(ArgSpec arg, String word) {
        return arg.isOption() ? word.matches("[\\s,\\[\\]]*") : word.isEmpty();
    }

    private static String name(ArgSpec arg) {
        return arg instanceof OptionSpec option ? option.longestName() : arg.paramLabel();
    }
}
