// Unpacks the browser that the package carries, and the libraries that a bare machine lacks, below TMPDIR; prints where it is.
import chromium from "@sparticuz/chromium";

process.stdout.write(await chromium.executablePath());
