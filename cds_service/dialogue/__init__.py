"""Questions about one patient's record, documents and images, answered with citations that code has checked."""
