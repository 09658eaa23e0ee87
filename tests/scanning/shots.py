"""Two pictures of the same carton, with light and without."""

from packline.core.identity import Lpn
from simulation.pictures.render import render
from simulation.pictures.scenes import CartonScene, darkened

_SCENE = CartonScene(lpn=Lpn.number(1001).text)
LIT, UNLIT = render(_SCENE), render(darkened(_SCENE))
