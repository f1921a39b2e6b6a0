package io.daosmesh.storage.halt;

import java.io.File;
import java.util.HashSet;
import java.util.Set;

/**
 * Stages {@code target-N.sst} and {@code target-N.MANIFEST}: a new file of the index has appeared and is in whatever state it is.
 * The database writes them itself, so they can only be watched. Looks again and again: only where one is waited for.
 */
public final class TableWatch {
    private final File folder;
    private final Halter halter;
    private final Set<String> known = new HashSet<>();

    private TableWatch(File folder, Halter halter) {
        this.folder = folder;
        this.halter = halter;
        look(false);
    }

    /** On a thread of its own. */
    public static void start(File folder, Halter halter) {
        TableWatch watch = new TableWatch(folder, halter);
        Thread thread = new Thread(
                () -> {
                    while (true) watch.look(true);
                },
                "watch-" + folder.getName());
        thread.setDaemon(true);
        thread.start();
    }

    private void look(boolean mayHalt) {
        String[] names = folder.list();
        if (names == null) return;
        for (String name : names) {
            if (!known.add(name)) continue;
            String kind = name.endsWith(".sst") ? "sst" : name.replaceAll("-.*", "");
            if (mayHalt && halter.isHere(folder.getName() + "." + kind)) Halter.halt();
        }
    }
}
