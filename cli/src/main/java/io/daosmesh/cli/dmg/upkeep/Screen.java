package io.daosmesh.cli.dmg.upkeep;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.model.fault.Fault;
import java.util.List;
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

    List<String> hosts();

    boolean isJson();

    /** Text, or its JSON twin; the exit status. */
    int show(Supplier<String> text, Supplier<? extends @Nullable Object> response);

    void answer(String document);

    /** Text that JSON output leaves out. */
    void say(String text);

    /** Exit status of a failure, told on standard error with its remedy. */
    int complain(Fault fault);

    /** Only a {@code yes} of who sits there; never with JSON, where nobody does. */
    boolean isConfirmed(String question);
}
