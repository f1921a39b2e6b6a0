package io.daosmesh.licences;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

/** What a component says about its licence: manifest, the pom inside, the pom of the local repository and its parents. One thread. */
final class Poms {
    private static final int PARENTS_MAX = 8;

    private final Path repository;

    Poms(Path repository) {
        this.repository = repository;
    }

    /** In the words of the component, one item a licence it offers; empty when it is silent. */
    List<String> said(Component component, Path jar) throws IOException {
        List<String> pom = ofPom(component, jar);
        return pom.isEmpty() && Files.isRegularFile(jar) ? ofManifest(jar) : pom;
    }

    private static List<String> ofManifest(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            Manifest manifest = file.getManifest();
            String value =
                    manifest == null ? null : manifest.getMainAttributes().getValue("Bundle-License");
            return value == null ? List.of() : List.of(value.split(","));
        }
    }

    private List<String> ofPom(Component component, Path jar) throws IOException {
        // without a jar: compiled anew from its sources
        Optional<Element> pom = Files.isRegularFile(jar) ? inside(component, jar) : Optional.empty();
        if (pom.isEmpty()) pom = stored(component.group(), component.artifact(), component.version());
        for (int i = 0; i < PARENTS_MAX && pom.isPresent(); i++) {
            List<String> licences = licences(pom.get());
            if (!licences.isEmpty()) return licences;
            Optional<Element> parent = child(pom.get(), "parent");
            if (parent.isEmpty()) return List.of();
            pom = stored(
                    text(parent.get(), "groupId"), text(parent.get(), "artifactId"), text(parent.get(), "version"));
        }
        return List.of();
    }

    private static Optional<Element> inside(Component component, Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            var entry =
                    file.getJarEntry("META-INF/maven/" + component.group() + "/" + component.artifact() + "/pom.xml");
            if (entry == null) return Optional.empty();
            try (InputStream in = file.getInputStream(entry)) {
                return Optional.of(parse(in.readAllBytes()));
            }
        }
    }

    private Optional<Element> stored(String group, String artifact, String version) throws IOException {
        Path pom = repository
                .resolve(group.replace('.', '/'))
                .resolve(artifact)
                .resolve(version)
                .resolve(artifact + "-" + version + ".pom");
        return Files.isRegularFile(pom) ? Optional.of(parse(Files.readAllBytes(pom))) : Optional.empty();
    }

    private static Element parse(byte[] pom) throws IOException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            return factory.newDocumentBuilder()
                    .parse(new ByteArrayInputStream(pom))
                    .getDocumentElement();
        } catch (SAXException | ParserConfigurationException e) {
            throw new IOException(e);
        }
    }

    private static List<String> licences(Element pom) {
        List<String> found = new ArrayList<>();
        child(pom, "licenses")
                .ifPresent(all ->
                        children(all, "license").forEach(one -> found.add(text(one, "name") + " " + text(one, "url"))));
        return found;
    }

    private static Optional<Element> child(Element of, String name) {
        return children(of, name).stream().findFirst();
    }

    private static List<Element> children(Element of, String name) {
        List<Element> found = new ArrayList<>();
        for (Node n = of.getFirstChild(); n != null; n = n.getNextSibling()) {
            if (n instanceof Element e && e.getTagName().equals(name)) found.add(e);
        }
        return found;
    }

    private static String text(Element of, String name) {
        return child(of, name).map(e -> e.getTextContent().strip()).orElse("");
    }
}
