package io.daosmesh.cli;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.transport.certs.CertificateList;
import io.daosmesh.transport.certs.CertificateMaker;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code certs}: makes and shows the certificates of a system; exit status 0 or 1. One thread. */
@Command(
        name = "certs",
        description = "Certificates of a system: one authority, and one each for server, admin and agent.",
        mixinStandardHelpOptions = true,
        subcommands = {Certs.Generate.class, Certs.Show.class})
public final class Certs implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @SuppressWarnings("NullAway") // picocli sets the fields
    private Certs() {}

    public static void main(String[] args) {
        CommandLine line = CommandLines.strict(new CommandLine(new Certs()))
                .setParameterExceptionHandler((e, a) -> {
                    e.getCommandLine().getErr().println("ERROR: certs: " + e.getMessage());
                    return 1;
                })
                .setExecutionExceptionHandler((e, commandLine, parsed) -> {
                    if (!(e instanceof FaultException f)) throw e;
                    commandLine
                            .getErr()
                            .println("ERROR: certs: " + f.fault().message() + "; "
                                    + f.fault().remedy());
                    return 1;
                });
        System.exit(line.execute(args));
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "say what to do: generate or show");
    }

    @Command(name = "generate", description = "Make them; keep the .key files of the authority off the nodes.")
    static final class Generate implements Callable<Integer> {
        @Option(names = "--dir", required = true, description = "folder to write to")
        private Path dir;

        @Option(names = "--force", description = "replace what is there; running nodes keep the old until restarted")
        private boolean force;

        @SuppressWarnings("NullAway") // picocli sets the fields
        Generate() {}

        @Override
        public Integer call() {
            new CertificateMaker(dir, Instant.now()).generate(force).forEach(System.out::println);
            return 0;
        }
    }

    @Command(name = "show", description = "Show name and life of each.")
    static final class Show implements Callable<Integer> {
        @Option(names = "--dir", required = true, description = "folder to read")
        private Path dir;

        @SuppressWarnings("NullAway") // picocli sets the fields
        Show() {}

        @Override
        public Integer call() {
            CertificateList.describe(dir, Instant.now()).forEach(System.out::println);
            return 0;
        }
    }
}
