package io.daosmesh.cli.dmg.access;

import io.daosmesh.admin.AdminCalls;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** A program in which commands of dmg run that is not dmg. Owner: the thread of the command. */
public interface Hosting {
    /** Takes out of the commands what has no meaning here. */
    void adapt(CommandLine line);

    /** Who gives the commands. */
    String user();

    AdminCalls calls(List<String> hosts);

    /** INVAL for hosts that commands may not be sent to from here. */
    void check(List<String> hosts);

    /** One line of the user's; null when nobody is there to answer. */
    @Nullable
    String ask(String prompt);
}
