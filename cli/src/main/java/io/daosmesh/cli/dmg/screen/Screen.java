package io.daosmesh.cli.dmg.screen;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.HostReplies;
import io.daosmesh.model.fault.Fault;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** What a command needs of the tool around it. Owner: the main thread. */
public interface Screen {
    /** Of the command line that the command belongs to. */
    static Screen of(CommandSpec command) {
        return (Screen) command.root().userObject();
    }

    AdminCalls calls();

    /** Hosts of the command line, else of the configuration. */
    List<String> hosts();

    /** Certificates are not used. */
    boolean isInsecure();

    boolean isJson();

    /** Text, or its JSON twin; the exit status. */
    int show(Supplier<String> text, Supplier<? extends @Nullable Object> response);

    /** As above, after the errors of hosts that failed; any of those makes the command fail. */
    int show(HostReplies<?> replies, Supplier<String> text, Supplier<Map<String, ?>> response);

    void answer(String document);

    /** Text that JSON output leaves out. */
    void say(String text);

    /** Exit status of a failure, told on standard error with its remedy. */
    int complain(Fault fault);

    /** Only a {@code yes} of who sits there; never with JSON, where nobody does. */
    boolean isConfirmed(String question);
}
