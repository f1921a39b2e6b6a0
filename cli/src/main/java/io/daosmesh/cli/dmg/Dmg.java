package io.daosmesh.cli.dmg;

import io.daosmesh.admin.view.Json;
import io.daosmesh.cli.CommandLines;
import io.daosmesh.cli.start.LeanStart;
import io.daosmesh.cli.start.WarmUp;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The administrator's tool. Exit status 0 or 1, nothing else; a mistake is one clear line, never a stack trace. */
public final class Dmg {
    private Dmg() {}

    /** Ends the process without waiting for daemon threads: the connection is closed before. */
    public static void main(String[] args) {
        LeanStart.prepareSmall(args);
        WarmUp.begin(args);
        PrintStream out = new PrintStream(
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16),
                false,
                StandardCharsets.UTF_8);
        int status = run(new DmgRoot(out, System.err), args);
        Runtime.getRuntime().halt(CommandLines.flushed(out, System.err, "dmg", status));
    }

    /** All its commands, to be described and not to be run. */
    public static CommandLine tree() {
        return tree(List.of());
    }

    /** The part of it that leads to a command. */
    public static CommandLine tree(List<String> path) {
        return DmgTree.build(new DmgRoot(System.out, System.err), path);
    }

    /** Everything but the exit; closes the root. */
    public static int run(DmgRoot root, String... args) {
        try (root) {
            List<String> words = DmgTree.spelled(List.of(args));
            CommandLine line = DmgTree.build(root, words);
            line.setOut(new PrintWriter(root.out, true));
            line.setErr(new PrintWriter(root.err, true));
            line.setParameterExceptionHandler((e, given) -> wrongUsage(root, e, List.of(given)));
            line.setExecutionExceptionHandler((e, command, parsed) -> failed(root, e));
            CommandLines.strict(line);
            root.adapt(line);
            return line.execute(words.toArray(String[]::new)) == 0 ? 0 : 1;
        }
    }

    private static int wrongUsage(DmgRoot root, ParameterException e, List<String> words) {
        String text = text(e);
        if (root.wantsJson(words)) root.answer(Json.failure(text));
        root.error("ERROR: dmg: " + text);
        root.err.println(
                "ERROR: dmg: see " + e.getCommandLine().getCommandSpec().qualifiedName() + " --help");
        return 1;
    }

    private static String text(ParameterException e) {
        if (e instanceof UnmatchedArgumentException u && !u.getUnmatched().isEmpty()) {
            String word = u.getUnmatched().get(0);
            if (word.startsWith("-"))
                return "unknown flag `" + word.replaceFirst("^-+", "").replaceFirst("=.*", "") + "'";
            boolean group = !e.getCommandLine().getSubcommands().isEmpty();
            return group ? "Unknown command `" + word + "'" : "unexpected argument `" + word + "'";
        }
        String text = String.valueOf(e.getMessage()).lines().findFirst().orElse("wrong usage");
        if (!text.startsWith("Missing required subcommand")) return text;
        return "Please specify one command of: "
                + String.join(", ", e.getCommandLine().getSubcommands().keySet());
    }

    private static int failed(DmgRoot root, Exception e) {
        if (e instanceof FaultException f) return root.fail(f.fault());
        Fault fault = FaultException.faultOf(e);
        if (fault.code() != FaultCode.MISC) return root.fail(fault);
        return root.fail(
                Fault.of(FaultCode.MISC, "%s: %s", e.getClass().getSimpleName(), String.valueOf(e.getMessage()))
                        .remedy("run it again with --debug and report what it says"));
    }
}
