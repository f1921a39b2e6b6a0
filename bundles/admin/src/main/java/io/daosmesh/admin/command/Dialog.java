package io.daosmesh.admin.command;

import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/** Where a command speaks to who gave it. Owner: the thread that runs the command. */
public interface Dialog {
    PrintStream out();

    PrintStream err();

    /** Who has logged in. */
    String user();

    /** One line of the user's; null when nobody is there to answer. */
    @Nullable
    String ask(String prompt);
}
