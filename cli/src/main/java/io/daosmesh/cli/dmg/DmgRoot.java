package io.daosmesh.cli.dmg;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.admin.view.HostBlocks;
import io.daosmesh.admin.view.Json;
import io.daosmesh.cli.dmg.access.Access;
import io.daosmesh.cli.dmg.access.Hosting;
import io.daosmesh.cli.dmg.access.ToolAccess;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.cli.start.LogOptions;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.text.Printable;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * Options of every dmg command, and what commands share: configuration, connection, output. Nothing is opened before it is
 * needed. Owner: the main thread.
 */
@Command(
        name = "dmg",
        description = "Administers a Daos Mesh system.",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND")
public final class DmgRoot implements Screen, AutoCloseable {
    private static final String FAULT_NUMBER = "fault";
    private static final String FAULT_DOMAIN = "domain";

    @Option(
            names = "--allow-proxy",
            scope = ScopeType.INHERIT,
            hidden = true,
            description = "no effect: no proxy is used")
    boolean allowProxy;

    @Option(
            names = {"-l", "--host-list"},
            scope = ScopeType.INHERIT,
            paramLabel = "HOSTS",
            description = "hosts to ask, e.g. st[01-08] or 10.8.1.[20-40]:10001")
    @Nullable
    String hostList;

    @Option(
            names = {"-i", "--insecure"},
            scope = ScopeType.INHERIT,
            description = "connect without certificates")
    boolean insecure;

    @Option(
            names = {"-d", "--debug"},
            scope = ScopeType.INHERIT,
            description = "log on the terminal")
    boolean debug;

    @Option(
            names = "--log-file",
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description = "append the log to a file")
    @Nullable
    String logFile;

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
            names = {"-o", "--config-path"},
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description =
                    "configuration (default: $DAOS_CONTROL_CONFIG, ~/.daos_control.yml, /etc/daos/daos_control.yml)")
    @Nullable
    String configPath;

    @Option(
            names = {"-h", "--help"},
            scope = ScopeType.INHERIT,
            usageHelp = true,
            description = "this help")
    boolean help;

    final PrintStream out;
    final PrintStream err;
    /** JSON has been written: nothing may follow it on standard output. */
    boolean answered;

    private @Nullable Path home;
    private @Nullable DmgConfig config; // read at the first use
    private @Nullable Access access; // opened at the first call
    private @Nullable AdminCalls calls; // opened at the first call; tests give their own
    private @Nullable Hosting hosting; // null = this program is dmg

    public DmgRoot(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /** Within another program, with its configuration and its calls. */
    public DmgRoot(PrintStream out, PrintStream err, DmgConfig config, Hosting hosting) {
        this(out, err);
        this.config = config;
        this.hosting = hosting;
    }

    /** To be called when the commands are there and before they run. */
    void adapt(CommandLine line) {
        if (hosting != null) hosting.adapt(line);
    }

    /** Who gives the command. */
    String user() {
        return hosting == null ? System.getProperty("user.name", "root") : hosting.user();
    }

    /** INVAL for hosts that this program may send nothing to. */
    void check(List<String> hosts) {
        if (hosting != null) hosting.check(hosts);
    }

    /** For tests: calls over another Rpc. */
    void use(DmgConfig given, AdminCalls over) {
        config = given;
        calls = over;
    }

    DmgConfig config() {
        if (config == null) {
            DmgConfig read = DmgConfig.find(Optional.ofNullable(configPath).map(Path::of));
            config = insecure ? read.insecure() : read;
        }
        return config;
    }

    @Override
    public List<String> hosts() {
        if (hostList == null) return config().hosts();
        List<String> given = HostList.addresses(hostList, config().port());
        if (given.isEmpty()) {
            throw Fault.of(FaultCode.INVAL, "the host list is empty").asException();
        }
        check(given);
        return given;
    }

    @Override
    public boolean isJson() {
        return json;
    }

    @Override
    public AdminCalls calls() {
        if (calls == null && hosting != null) calls = hosting.calls(hosts());
        if (calls == null) {
            LogOptions.configure(debug, logFile, jsonLogging);
            Access opened = ToolAccess.open(config().system(), config().tls(), hosts());
            access = opened;
            calls = opened.calls();
        }
        return calls;
    }

    @Override
    public boolean isInsecure() {
        return config().tls().allowInsecure();
    }

    // ---------------------------------------------------------------- output

    @Override
    public int show(Supplier<String> text, Supplier<? extends @Nullable Object> response) {
        if (json) answer(Json.success(response.get()));
        else out.print(Printable.lines(text.get()));
        return 0;
    }

    @Override
    public int show(HostReplies<?> replies, Supplier<String> text, Supplier<Map<String, ?>> response) {
        if (replies.errors().isEmpty()) return show(text, response);
        Fault first = replies.errors().values().iterator().next();
        int failed = replies.errors().size();
        Fault all = explained(Fault.of(
                        first.code(),
                        "%d of %d hosts failed: %s",
                        failed,
                        replies.hosts().size(),
                        first.text().isEmpty() ? first.code().meaning() : first.text())
                .remedy(first.remedy()));
        if (json) answer(Json.failure(response.get(), all));
        else {
            err.print(Printable.lines(HostBlocks.errors(replies)));
            out.print(Printable.lines(text.get()));
        }
        return complain(all);
    }

    /** The user's folder. */
    Path home() {
        if (home != null) return home;
        String named = System.getenv("HOME");
        return Path.of(named == null || named.isEmpty() ? System.getProperty("user.home", ".") : named);
    }

    /** For tests. */
    void use(Path folder) {
        home = folder;
    }

    /** Words that end before {@code -j} is reached ask for JSON, too. */
    boolean wantsJson(List<String> words) {
        return json || words.contains("-j") || words.contains("--json");
    }

    @Override
    public void answer(String document) {
        out.print(document);
        answered = true;
    }

    /** Text that JSON output leaves out. */
    @Override
    public void say(String text) {
        if (!json) out.print(Printable.lines(text));
    }

    /** Only a {@code yes} of who sits there; never with JSON, where nobody does. */
    @Override
    public boolean isConfirmed(String question) {
        if (json) return false;
        String answer = ask(question + " (yes/no): ", out);
        return answer != null && answer.trim().equalsIgnoreCase("yes");
    }

    /** One line of the user's; null when nobody is there to answer. */
    @Nullable
    String ask(String prompt, PrintStream at) {
        if (hosting != null) return hosting.ask(prompt);
        at.print(prompt);
        at.flush();
        try {
            return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
        } catch (IOException e) {
            return null;
        }
    }

    /** Exit status of a failure, told on standard error with its remedy. */
    @Override
    public int complain(Fault fault) {
        error("ERROR: dmg: " + plain(fault).message());
        String code = fault.argument(FAULT_NUMBER)
                .orElse(Integer.toString(fault.code().number()));
        error("ERROR: dmg: " + fault.argument(FAULT_DOMAIN).orElse("control") + ": code = " + code + " resolution = \""
                + fault.remedy() + "\"");
        return 1;
    }

    /** One line on standard error, whatever a server has put into it. */
    void error(String line) {
        err.println(Printable.line(line));
    }

    /** Without its number in the table of administrators' faults, which belongs into the advice line. */
    private static Fault plain(Fault fault) {
        Map<String, String> rest = new HashMap<>(fault.arguments());
        rest.remove(FAULT_NUMBER);
        rest.remove(FAULT_DOMAIN);
        return new Fault(fault.code(), fault.text(), rest, fault.remedy());
    }

    int fail(Fault fault) {
        Fault shown = explained(fault);
        if (json && !answered) answer(Json.failure(null, plain(shown)));
        return complain(shown);
    }

    private Fault explained(Fault fault) {
        return access == null ? fault : access.explained(fault);
    }

    @Override
    public void close() {
        if (access != null) access.close();
    }
}
