package io.daosmesh.cli.server;

import io.daosmesh.admin.view.Json;
import io.daosmesh.cli.ToolVersion;
import io.daosmesh.cli.start.LogOptions;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.machine.PciBinding;
import io.daosmesh.model.machine.Sysfs;
import io.daosmesh.model.text.Printable;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** Options of every daos_server command, and how they answer. Owner: the main thread. Source: daos-admin facts 1.8. */
@Command(
        name = "daos_server",
        description = "Runs and prepares a storage node on this machine.",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND")
public final class ServerRoot {
    /** Arguments of a fault: its number in the table of administrators' faults and the table's part. */
    static final String NUMBER = "fault";

    static final String DOMAIN = "domain";

    @Option(
            names = "--allow-proxy",
            scope = ScopeType.INHERIT,
            hidden = true,
            description = "no effect: no proxy is used")
    boolean allowProxy;

    @Option(
            names = {"-o", "--config", "--config-path"},
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description = "configuration (default: /etc/daos/daos_server.yml)")
    @Nullable
    String config;

    @Option(
            names = {"-b", "--debug"},
            scope = ScopeType.INHERIT,
            description = "log on the terminal")
    boolean debug;

    @Option(
            names = {"-j", "--json"},
            scope = ScopeType.INHERIT,
            description = "one JSON document on standard output")
    boolean json;

    @Option(
            names = {"-J", "--json-logging"},
            scope = ScopeType.INHERIT,
            description = "log lines as JSON")
    boolean jsonLogging;

    @Option(
            names = {"-h", "--help"},
            scope = ScopeType.INHERIT,
            usageHelp = true,
            description = "this help")
    boolean help;

    final PrintStream out;
    final PrintStream err;
    private Sysfs sys = Sysfs.ofThisMachine();
    private PciBinding.Kernel kernel = PciBinding.FILES;

    public ServerRoot(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /** For tests: another machine. */
    void use(Sysfs tree, PciBinding.Kernel other) {
        sys = tree;
        kernel = other;
    }

    Sysfs sys() {
        return sys;
    }

    PciBinding binding() {
        return new PciBinding(sys, kernel);
    }

    /** INVAL, NONEXIST for a file that is named and not there. */
    ServerFile file() {
        LogOptions.configure(debug, null, jsonLogging);
        return ServerFile.find(Optional.ofNullable(config).map(Path::of));
    }

    @Command(name = "version", description = "Release of this program")
    int version() {
        String version = ToolVersion.VERSION;
        return show(
                () -> "daos_server version " + version + "\n",
                () -> Json.object("name", "daos_server", "version", version));
    }

    int show(Supplier<String> text, Supplier<? extends @Nullable Object> response) {
        if (json) out.print(Json.success(response.get()));
        else out.print(Printable.lines(text.get()));
        return 0;
    }

    /** A result of which a part has failed: all of it is shown. */
    int failed(String text, Object response, Fault fault) {
        if (json) out.print(Json.failure(response, plain(fault)));
        else out.print(Printable.lines(text));
        return complain(fault);
    }

    void say(String text) {
        if (!json) out.print(Printable.lines(text));
    }

    void notice(String text) {
        err.println("NOTICE: " + Printable.line(text));
    }

    int fail(Fault fault) {
        if (json) out.print(Json.failure(null, plain(fault)));
        return complain(fault);
    }

    void wrongUsage(String text, List<String> words) {
        if (json || words.contains("-j") || words.contains("--json")) out.print(Json.failure(text));
        err.println("ERROR: daos_server: " + Printable.line(text));
    }

    private int complain(Fault fault) {
        String number =
                fault.argument(NUMBER).orElse(Integer.toString(fault.code().number()));
        String domain = fault.argument(DOMAIN).orElse("server");
        err.println("ERROR: daos_server: " + Printable.line(plain(fault).message()));
        err.println("ERROR: daos_server: " + domain + ": code = " + number + " resolution = \""
                + Printable.line(fault.remedy()) + "\"");
        return 1;
    }

    private static Fault plain(Fault fault) {
        Map<String, String> rest = new HashMap<>(fault.arguments());
        rest.remove(NUMBER);
        rest.remove(DOMAIN);
        return new Fault(fault.code(), fault.text(), rest, fault.remedy());
    }
}
