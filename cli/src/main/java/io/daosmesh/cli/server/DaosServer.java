package io.daosmesh.cli.server;

import io.daosmesh.cli.CommandLines;
import io.daosmesh.cli.start.LeanStart;
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

/** All of daos_server but the node itself, which bin/daos_server starts. Exit status 0 or 1; a mistake is one clear line. */
public final class DaosServer {
    private DaosServer() {}

    public static void main(String[] args) {
        LeanStart.prepareSmall(args);
        PrintStream out = new PrintStream(
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16),
                false,
                StandardCharsets.UTF_8);
        int status = run(new ServerRoot(out, System.err), args);
        Runtime.getRuntime().halt(CommandLines.flushed(out, System.err, "daos_server", status));
    }

    /** The tree of the commands, for parsing and for completion. */
    public static CommandLine tree(ServerRoot root) {
        CommandLine line = new CommandLine(root);
        line.addSubcommand(new ServerStart())
                .addSubcommand(new NvmeCommands())
                .addSubcommand(new ScmCommands())
                .addSubcommand(new StorageCommands())
                .addSubcommand(new NetworkCommands())
                .addSubcommand(new ConfigCommands())
                .addSubcommand(new MsCommands())
                .addSubcommand(new SupportCommands());
        return line;
    }

    public static int run(ServerRoot root, String... args) {
        CommandLine line = tree(root);
        line.setOut(new PrintWriter(root.out, true));
        line.setErr(new PrintWriter(root.err, true));
        line.setParameterExceptionHandler((e, given) -> wrongUsage(root, e, List.of(given)));
        line.setExecutionExceptionHandler((e, command, parsed) -> root.fail(FaultException.faultOf(e)));
        CommandLines.strict(line);
        return line.execute(args) == 0 ? 0 : 1;
    }

    private static int wrongUsage(ServerRoot root, ParameterException e, List<String> words) {
        String text = String.valueOf(e.getMessage()).lines().findFirst().orElse("wrong usage");
        if (e instanceof UnmatchedArgumentException u && !u.getUnmatched().isEmpty()) {
            String word = u.getUnmatched().get(0);
            text = word.startsWith("-")
                    ? "unknown flag `" + word.replaceFirst("^-+", "").replaceFirst("=.*", "") + "'"
                    : "Unknown command or argument `" + word + "'";
        } else if (text.startsWith("Missing required subcommand")) {
            text = "Please specify one command of: "
                    + String.join(", ", e.getCommandLine().getSubcommands().keySet());
        }
        root.wrongUsage(text, words);
        root.err.println(
                "ERROR: daos_server: see " + e.getCommandLine().getCommandSpec().qualifiedName() + " --help");
        return 1;
    }
}
