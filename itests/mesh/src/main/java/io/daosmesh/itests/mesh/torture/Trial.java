package io.daosmesh.itests.mesh.torture;

import io.daosmesh.cli.mesh.net.Network;
import io.daosmesh.itests.mesh.LocalMesh;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** What real nodes are put through: on the mesh of {@code --dir} if one is given, else on one of its own, which stays when something was wrong. */
public final class Trial {
    private static final int NODES = 4;
    private static final int NODES_MIN = 3;

    private Trial() {}

    /**
     * IllegalStateException for a mesh of fewer than {@value #NODES_MIN} nodes.
     *
     * @param folder of its own mesh, beside the usual one
     * @param trial true when nothing was wrong
     */
    public static boolean run(String folder, Predicate<LocalMesh> trial) {
        Path dir = Path.of(System.getProperty("mesh.dir", ".mesh")).toAbsolutePath();
        boolean isGiven = Boolean.getBoolean("mesh.dir.given");
        LocalMesh mesh = isGiven ? LocalMesh.attach(dir) : LocalMesh.start(dir.resolveSibling(folder), options());
        boolean isRight = false;
        try {
            if (mesh.nodes().size() < NODES_MIN)
                throw new IllegalStateException("there is no mesh of " + NODES_MIN + " nodes in " + mesh.dir());
            isRight = trial.test(mesh);
        } finally {
            if (!isGiven && isRight) {
                mesh.close();
            } else if (!isGiven) {
                mesh.mesh("down");
                System.err.println("torture: logs and data are in " + mesh.dir() + "; ./mesh down --dir " + mesh.dir()
                        + " --wipe removes them");
            }
        }
        return isRight;
    }

    private static String[] options() {
        List<String> options = new ArrayList<>(List.of("--nodes", Integer.toString(NODES)));
        Optional<String> missing = Network.missing();
        if (missing.isEmpty()) options.add("--namespaces");
        else System.err.println("torture: the network is not cut: " + missing.get());
        return options.toArray(String[]::new);
    }
}
