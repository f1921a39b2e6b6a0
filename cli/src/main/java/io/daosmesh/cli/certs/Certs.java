package io.daosmesh.cli.certs;

import io.daosmesh.cli.CommandLines;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.certs.Authority;
import io.daosmesh.transport.certs.CertificateList;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.certs.Life;
import io.daosmesh.transport.tls.Pem;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code daos-certs}: makes, renews, revokes and shows the certificates of a system; exit status 0 or 1. One thread. */
@Command(
        name = "daos-certs",
        description = "Certificates of a system: an authority, and one for each server, admin and agent.",
        mixinStandardHelpOptions = true)
public final class Certs implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @SuppressWarnings("NullAway") // picocli sets the field
    private Certs() {}

    public static void main(String[] args) {
        System.exit(run(new PrintWriter(System.out, true), new PrintWriter(System.err, true), args));
    }

    /** All its commands, to be described and not to be run. */
    public static CommandLine tree() {
        return new CommandLine(new Certs());
    }

    /** Everything but the exit. */
    public static int run(PrintWriter out, PrintWriter err, String... args) {
        CommandLine line = CommandLines.strict(new CommandLine(new Certs()))
                .setOut(out)
                .setErr(err)
                .setParameterExceptionHandler((e, a) -> {
                    e.getCommandLine().getErr().println("ERROR: daos-certs: " + e.getMessage());
                    return 1;
                })
                .setExecutionExceptionHandler((e, commandLine, parsed) -> {
                    if (!(e instanceof FaultException f)) throw e;
                    commandLine
                            .getErr()
                            .println("ERROR: daos-certs: " + f.fault().message() + "; "
                                    + f.fault().remedy());
                    return 1;
                });
        return line.execute(args);
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "say what to do: ca, issue, renew, revoke, list, show, check or generate");
    }

    private int print(Iterable<?> lines) {
        lines.forEach(spec.commandLine().getOut()::println);
        return 0;
    }

    @Command(name = "ca", description = "Make an authority; keep its folder off the nodes.")
    int authority(
            @Option(names = "--ca-dir", required = true, paramLabel = "DIR", description = "folder of the authority")
                    Path folder,
            @Option(names = "--days", defaultValue = "" + Life.AUTHORITY_DAYS, description = "life (${DEFAULT-VALUE})")
                    int days,
            @Option(names = "--force", description = "replace the one that is there: all it has issued becomes useless")
                    boolean force) {
        Authority.make(folder, Life.days(Instant.now(), days), force);
        return print(List.of(folder.resolve(Authority.NAME + ".crt"), folder.resolve(Authority.NAME + ".key")));
    }

    @Command(name = "issue", description = "Make key and certificate of one server, admin or agent.")
    int issue(
            @Parameters(paramLabel = "ROLE", description = "server, admin or agent", converter = RoleName.class)
                    Role role,
            @Option(
                            names = "--address",
                            split = ",",
                            paramLabel = "HOST",
                            description = "where others reach the server")
                    @Nullable
                    List<String> addresses,
            @Option(names = "--ca-dir", required = true, paramLabel = "DIR", description = "folder of the authority")
                    Path authority,
            @Option(names = "--dir", required = true, paramLabel = "DIR", description = "folder to write to")
                    Path folder,
            @Option(names = "--days", defaultValue = "" + Life.DAYS, description = "life (${DEFAULT-VALUE})") int days,
            @Option(names = "--force", description = "replace what is there") boolean force) {
        List<String> hosts = addresses == null ? List.of() : addresses;
        if (role != Role.SERVER && !hosts.isEmpty()) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--address is for servers only");
        }
        return print(maker(folder, days).issue(Authority.open(authority), role, hosts, force));
    }

    @Command(
            name = "renew",
            description = "Replace keys and certificates of a folder by new ones for the same roles and addresses; "
                    + "nodes take them up by themselves.")
    int renew(
            @Option(names = "--ca-dir", required = true, paramLabel = "DIR", description = "folder of the authority")
                    Path authority,
            @Option(names = "--dir", required = true, paramLabel = "DIR", description = "folder to renew") Path folder,
            @Option(names = "--days", defaultValue = "" + Life.DAYS, description = "life (${DEFAULT-VALUE})")
                    int days) {
        return print(maker(folder, days).renew(Authority.open(authority)));
    }

    @Command(
            name = "revoke",
            description = "Put certificates on the authority's revocation list, daosCA.crl in its folder; without any, "
                    + "write the list anew for another year.")
    int revoke(
            @Parameters(paramLabel = "FILE", arity = "0..*", description = "certificates") @Nullable List<Path> files,
            @Option(names = "--serial", split = ",", paramLabel = "SERIAL", description = "as daos-certs list shows")
                    @Nullable
                    List<String> serials,
            @Option(names = "--ca-dir", required = true, paramLabel = "DIR", description = "folder of the authority")
                    Path folder,
            @Option(names = "--days", defaultValue = "" + Life.DAYS, description = "life (${DEFAULT-VALUE})")
                    int days) {
        Authority authority = Authority.open(folder);
        List<X509Certificate> all = new ArrayList<>();
        if (files != null) files.forEach(f -> all.add(Pem.certificates(f).get(0)));
        if (serials != null) serials.forEach(s -> all.add(authority.issued(s)));
        Instant now = Instant.now();
        return print(List.of(authority.revoke(all, now, Life.days(now, days))));
    }

    @Command(name = "list", description = "Show all that the authority has issued.")
    int list(
            @Option(names = "--ca-dir", required = true, paramLabel = "DIR", description = "folder of the authority")
                    Path authority) {
        return print(CertificateList.issued(Authority.open(authority), Instant.now()));
    }

    @Command(name = "show", description = "Show name and life of each in a folder.")
    int show(@Option(names = "--dir", required = true, paramLabel = "DIR", description = "folder to read") Path dir) {
        return print(CertificateList.describe(dir, Instant.now()));
    }

    @Command(
            name = "check",
            description = "Look at a folder as a node or a tool would, and 30 days ahead; exit status 1 when something "
                    + "has to be done.")
    int check(
            @Option(names = "--dir", required = true, paramLabel = "DIR", description = "folder to read") Path folder,
            @Option(names = "--crl", paramLabel = "FILE", description = "revocation list") @Nullable Path crl) {
        List<CertificateList.Line> lines = CertificateList.check(folder, Optional.ofNullable(crl), Instant.now());
        print(lines.stream().map(CertificateList.Line::text).toList());
        return lines.stream().allMatch(CertificateList.Line::isGood) ? 0 : 1;
    }

    @Command(
            name = "generate",
            description = "Make all that a mesh on one machine needs in one folder, the authority's key among them.")
    int generate(
            @Option(names = "--dir", required = true, paramLabel = "DIR", description = "folder to write to")
                    Path folder,
            @Option(
                            names = "--address",
                            split = ",",
                            paramLabel = "HOST",
                            description = "of the servers, besides 127.0.0.1, ::1 and localhost")
                    @Nullable
                    List<String> addresses,
            @Option(names = "--force", description = "replace what is there") boolean force) {
        return print(
                new CertificateMaker(folder, Instant.now()).generate(force, addresses == null ? List.of() : addresses));
    }

    private static CertificateMaker maker(Path folder, int days) {
        Life life = Life.days(Instant.now(), days);
        return new CertificateMaker(folder, life, life);
    }

    /** By its name in certificates. */
    static final class RoleName implements CommandLine.ITypeConverter<Role> {
        @Override
        public Role convert(String name) {
            return io.daosmesh.transport.tls.Roles.named(name)
                    .orElseThrow(() -> new CommandLine.TypeConversionException(
                            "'" + name + "' is no role: use server, admin or agent"));
        }
    }
}
