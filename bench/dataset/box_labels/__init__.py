"""True boxes of images: COCO's annotations and YOLO's label folders."""
